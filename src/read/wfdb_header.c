#include "read/wfdb.h"

#include <string.h>

enum { DEFAULT_GAIN = 200 };

/* The next line that is not empty and no comment. */
static tl_status next_line(tl_text *text, tl_field *line, const char *what, tl_error *error) {
    if (tl_text_filled_line(text, '#', line, error) || tl_failed(error)) return error->status;
    return tl_text_fail(text, text->end, error, "expected %s, got the end of the file", what);
}

static tl_status read_size(const tl_text *text, tl_field field, size_t least, size_t most, const char *what, size_t *size,
                           tl_error *error) {
    double value;
    if (!tl_field_number(text, field, &value) || value < (double)least || value > (double)most || value != (double)(size_t)value)
        return tl_text_expected(text, field, error, "%s, from %zu to %zu", what, least, most);
    *size = (size_t)value;
    return TL_OK;
}

/* name signals frequency frames … */
static tl_status read_record(const tl_text *text, tl_field line, tl_wfdb *record, tl_error *error) {
    const tl_field name = tl_field_word(&line), signals = tl_field_word(&line);
    tl_field_word(&line);
    const tl_field frames = tl_field_word(&line);
    if (memchr(name.begin, '/', (size_t)(name.end - name.begin)))
        return tl_text_expected(text, name, error, "a record of one segment");
    if (read_size(text, signals, 1, TL_WFDB_SIGNALS, "the number of signals", &record->signals, error) != TL_OK ||
        frames.begin == frames.end)
        return error->status;
    return read_size(text, frames, 0, 1000000000, "the number of samples", &record->frames, error);
}

/* 16, 212 or, with bytes before the samples, 16+24 */
static tl_status read_format(const tl_text *text, tl_field field, tl_wfdb *record, tl_error *error) {
    tl_field rest = field, format;
    record->offset = 0;
    const bool shifted = tl_field_cut(&rest, '+', &format);
    if (!tl_field_is(format, "16") && !tl_field_is(format, "212"))
        return tl_text_expected(text, field, error, "signal format 16 or 212");
    record->format = tl_field_is(format, "16") ? 16 : 212;
    return shifted ? read_size(text, rest, 0, 1000000000, "bytes before the samples", &record->offset, error) : TL_OK;
}

/* gain(baseline)/units, all but the gain optional. */
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

/* file format gain resolution zero … */
static tl_status read_signal(const tl_text *text, tl_field line, tl_wfdb *record, size_t i, tl_error *error) {
    const tl_field file = tl_field_word(&line), format = tl_field_word(&line), gain = tl_field_word(&line);
    const size_t length = (size_t)(file.end - file.begin);
    double baseline = 0;
    record->signal[i].gain = DEFAULT_GAIN;
    if (length >= TL_WFDB_NAME || memchr(file.begin, '/', length))
        return tl_text_expected(text, file, error, "the name of a file in the same folder");
    if (i > 0 && (strlen(record->file) != length || memcmp(record->file, file.begin, length) != 0))
        return tl_text_expected(text, file, error, "all signals in %s", record->file);
    memcpy(record->file, file.begin, length);
    record->file[length] = '\0';
    if (read_format(text, format, record, error) != TL_OK) return error->status;
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
        const unsigned format = record->format;
        if (next_line(text, &line, "a line for each signal", error) != TL_OK) return error->status;
        read_signal(text, line, record, i, error);
        if (!tl_failed(error) && i > 0 && record->format != format)
            return tl_text_expected(text, line, error, "all signals in format %u", format);
    }
    return error->status;
}
