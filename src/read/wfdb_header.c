#include "read/wfdb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_GAIN = 200, DEFAULT_RATE = 250 };

/* Returns the next line that is neither empty nor a comment. */
static tl_status next_line(tl_text *text, tl_field *line, const char *what, tl_error *error) {
    if (tl_text_filled_line(text, "#", line, error) || tl_failed(error)) return error->status;
    return tl_text_fail(text, text->end, error, "expected %s, got the end of the file", what);
}

static tl_status read_size(const tl_text *text, tl_field field, size_t minimum, size_t maximum, const char *what, size_t *size,
                           tl_error *error) {
    double value;
    if (!tl_field_number(text, field, &value) || value < (double)minimum || value > (double)maximum ||
        value != (double)(size_t)value)
        return tl_text_expected(text, field, error, "%s, from %zu to %zu", what, minimum, maximum);
    *size = (size_t)value;
    return TL_OK;
}

/* name signals frequency frames … */
static tl_status read_record(const tl_text *text, tl_field line, tl_wfdb *record, tl_error *error) {
    const tl_field name = tl_field_word(&line), signals = tl_field_word(&line);
    tl_field rate = tl_field_word(&line), first;
    const tl_field frames = tl_field_word(&line);
    if (memchr(name.begin, '/', (size_t)(name.end - name.begin)))
        return tl_text_expected(text, name, error, "a record of one segment");
    if (read_size(text, signals, 1, TL_WFDB_SIGNALS, "the number of signals", &record->signals, error) != TL_OK)
        return error->status;
    tl_field_cut(&rate, '/', &first);
    if (first.begin < first.end && tl_text_number(text, first, &record->rate, error) != TL_OK) return error->status;
    if (record->rate <= 0) record->rate = DEFAULT_RATE;
    if (frames.begin == frames.end) return TL_OK;
    return read_size(text, frames, 0, 1000000000, "the number of samples", &record->frames, error);
}

static const tl_wfdb_format formats[] = {
    {16, INT16_MIN, {.kind = TL_SIGNED, .size = 2, .scale = 1}},
    {24, -(1 << 23), {.kind = TL_SIGNED, .size = 3, .scale = 1}},
    {32, INT32_MIN, {.kind = TL_SIGNED, .size = 4, .scale = 1}},
    {61, INT16_MIN, {.kind = TL_SIGNED, .size = 2, .scale = 1, .big = true}},
    {80, INT8_MIN, {.kind = TL_UNSIGNED, .size = 1, .zero = 1 << 7, .scale = 1}},
    {160, INT16_MIN, {.kind = TL_UNSIGNED, .size = 2, .zero = 1 << 15, .scale = 1}},
    {212, -(1 << 11), {.size = 0}},
};

/* Such as 212 or, with bytes before the samples, 16+24. */
static tl_status read_format(const tl_text *text, tl_field field, tl_wfdb_file *file, tl_error *error) {
    tl_field rest = field, format;
    double number = 0;
    const bool shifted = tl_field_cut(&rest, '+', &format);
    const bool known = tl_field_number(text, format, &number);
    file->format = NULL;
    for (size_t i = 0; known && i < sizeof formats / sizeof *formats; i++)
        if (number == formats[i].number) file->format = &formats[i];
    if (!file->format) return tl_text_expected(text, field, error, "signal format 16, 24, 32, 61, 80, 160 or 212");
    file->offset = 0;
    return shifted ? read_size(text, rest, 0, 1000000000, "bytes before the samples", &file->offset, error) : TL_OK;
}

/* gain(baseline)/units; only the gain is required. */
static tl_status read_gain(const tl_text *text, tl_field field, double *gain, double *baseline, tl_error *error) {
    tl_field rest, number;
    tl_field_cut(&field, '/', &rest);
    const bool has_baseline = tl_field_cut(&rest, '(', &number);
    if (tl_text_number(text, number, gain, error) != TL_OK) return error->status;
    if (*gain == 0) *gain = DEFAULT_GAIN; /* not calibrated */
    if (!has_baseline) return TL_OK;
    if (!tl_field_cut(&rest, ')', &number)) return tl_text_expected(text, rest, error, "a closing bracket");
    return tl_text_number(text, number, baseline, error);
}

/* Sets the file of the next signal: the previous one or another one. */
static tl_status read_file(const tl_text *text, tl_field name, tl_wfdb *record, size_t signal, tl_error *error) {
    const size_t length = (size_t)(name.end - name.begin);
    if (length >= TL_WFDB_NAME || memchr(name.begin, '/', length))
        return tl_text_expected(text, name, error, "the name of a file in the same folder");
    for (size_t f = 0; f < record->files; f++) {
        if (strlen(record->file[f].name) != length || memcmp(record->file[f].name, name.begin, length) != 0) continue;
        if (f + 1 < record->files) return tl_text_expected(text, name, error, "the signals of a file in consecutive lines");
        record->file[f].signals++;
        return TL_OK;
    }
    tl_wfdb_file *file = &record->file[record->files++];
    *file = (tl_wfdb_file){.first = signal, .signals = 1};
    memcpy(file->name, name.begin, length);
    return TL_OK;
}

/* file format gain resolution zero … */
static tl_status read_signal(const tl_text *text, tl_field line, tl_wfdb *record, size_t i, tl_error *error) {
    const tl_field name = tl_field_word(&line), format = tl_field_word(&line), gain = tl_field_word(&line);
    double baseline = 0;
    record->signal[i].gain = DEFAULT_GAIN;
    if (read_file(text, name, record, i, error) != TL_OK) return error->status;
    tl_wfdb_file *file = &record->file[record->files - 1];
    const tl_wfdb_format *before = file->format;
    if (read_format(text, format, file, error) != TL_OK) return error->status;
    if (before && file->format != before)
        return tl_text_expected(text, format, error, "all signals of %s in format %u", file->name, before->number);
    tl_field_word(&line);
    const tl_field zero = tl_field_word(&line);
    if (zero.begin < zero.end && tl_text_number(text, zero, &baseline, error) != TL_OK) return error->status;
    if (gain.begin < gain.end && read_gain(text, gain, &record->signal[i].gain, &baseline, error) != TL_OK) return error->status;
    record->signal[i].baseline = baseline;
    return TL_OK;
}

tl_status tl_wfdb_header(tl_text *text, tl_wfdb *record, tl_error *error) {
    tl_field line;
    *record = (tl_wfdb){0};
    if (next_line(text, &line, "a record", error) != TL_OK || read_record(text, line, record, error) != TL_OK) return error->status;
    for (size_t i = 0; i < record->signals && !tl_failed(error); i++) {
        if (next_line(text, &line, "a line for each signal", error) != TL_OK) return error->status;
        read_signal(text, line, record, i, error);
    }
    return error->status;
}

/* ---- the other files ---- */

char *tl_wfdb_beside(const char *header, const char *name, tl_error *error) {
    const char *slash = strrchr(header, '/');
    const size_t folder = slash ? (size_t)(slash - header) + 1 : 0, size = folder + strlen(name) + 1;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%.*s%s", (int)folder, header, name);
    else
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", header);
    return path;
}

char *tl_wfdb_annotations(const char *header, const char *annotator, tl_error *error) {
    const char *ending = annotator ? annotator : "atr";
    const size_t name = strlen(header) - strlen("hea"), size = name + strlen(ending) + 1;
    char *path = malloc(size);
    if (path)
        snprintf(path, size, "%.*s%s", (int)name, header, ending);
    else
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", header);
    return path;
}
