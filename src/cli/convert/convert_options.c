/* The options of `tapline convert`. */
#include "cli/convert/convert.h"

#define FIELD(name) offsetof(convert_settings, name)

static convert_settings converting = {.common = {.precision = "f64"}, .missing = "refuse"};

static const option_spec options[] = {
    {"out", "FILE", OPTION_TEXT, FIELD(out), 0, 0, NULL,
     "FILE.npz: one archive; FILE.npy: the series; its name contains x as a word, and the file for the targets has y in its place "
     "(required)"},
    {"single", NULL, OPTION_FLAG, FIELD(single), 0, 0, NULL,
     "write the values as float32, which takes half the space, not as float64"},
    {"unlabelled", NULL, OPTION_FLAG, FIELD(unlabelled), 0, 0, NULL, "DATA has no labels or targets, or they are ignored"},
    {"missing", "NAME", OPTION_CHOICE, FIELD(missing), 0, 0, missing_name, "how missing values are replaced (refuse)"},
    {"unequal", NULL, OPTION_FLAG, FIELD(unequal), 0, 0, NULL, "series in a folder or table may have different lengths"},
    {"segment", "N", OPTION_INTEGER, FIELD(segment), 1, INT32_MAX, NULL,
     ".hea records: samples of the series around each beat (256)"},
    READING_OPTIONS(convert_settings),
    MAX_MEMORY_OPTION,
    {0},
};

const command convert_command = {
    .name = "convert",
    .operands = "DATA",
    .min_operands = 1,
    .max_operands = 1,
    .summary = "Write a data set as NumPy arrays, which `train` reads batch by batch where they are larger than memory.",
    .example = "tapline convert mine.csv --out mine_x.npy",
    .details =
        "DATA is as for `tapline train`. An archive has the training half and the test half of data that has both. Series are "
        "written one after the other, without scaling. Series that are shorter than "
        "the longest end with NaN, which --missing tail reads.",
    .options = options,
    .settings = &converting,
    .writes_files = true,
    .run_f32 = convert_f32,
    .run_f64 = convert_f64,
};
