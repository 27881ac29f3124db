#include "cli/picture/show.h"

#include <tapline/file.h>

#include <string.h>

#define FIELD(name) offsetof(show_settings, name)

static const option_spec options[] = {
    OPTIONS("Pictures", "tapline show mine.csv --out mine.svg"),
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the picture to this file, NAME.svg or NAME.html (the terminal)"},
    {"channel", "N", OPTION_INTEGER, FIELD(channel), 1, INT32_MAX, NULL, "show this channel, from 1 (the first three)"},
    OPTIONS("Data", "tapline show mine.csv --normalize series"),
    {"normalize", "NAME", OPTION_CHOICE, FIELD(normalize), 0, 0, normalization_name,
     "scale each channel to mean 0 and standard deviation 1 before it is shown (none)"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(missing), 0, 0, missing_name, "how missing values are replaced (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder or table may have different lengths"},
    {"unlabelled", NULL, OPTION_FLAG, FIELD(unlabelled), 0, 0, NULL, "the data has no labels or target values, or ignore them"},
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL,
     ".hea records: samples of the series around each beat (256)"},
    MAX_MEMORY_OPTION,
    OPTIONS("Columns and windows", "tapline show mine.csv --label last --ignore id"),
    READING_OPTIONS(show_settings),
    {0},
};

static show_settings settings;

/* That of a model; data is shown in single precision. */
static const char *choose_precision(void) {
    tl_error error = {0};
    const char *precision = tl_file_precision(settings.common.operand[0], &error);
    return precision ? precision : "f32";
}

const command show_command = {
    .name = "show",
    .operands = "DATA|MODEL",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Show the series of a data set by class, or the layers of a model as a graph.",
    .example = "tapline show mine.csv",
    .details =
        "DATA is as for `tapline train`; MODEL is a file from `tapline train --out`. For each class it shows the mean of its "
        "series and some of them. A regression has four groups: quarters of the series by their target values.",
    .options = options,
    .settings = &settings,
    .choose_precision = choose_precision,
    .writes_files = true,
    .run_f32 = show_f32,
    .run_f64 = show_f64,
};
