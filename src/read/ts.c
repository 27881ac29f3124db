/* The `.ts` format of the UCR and UEA archives (timeseriesclassification.com): lines `@key value`, then after `@data` one series a
 * line, channels separated by `:`, their values by `,`, the label or target value last. Keys are in any case and in any order, most
 * are optional and often missing; the data are checked against what is there. Lines that start with # or % are comments. */
#include "read/reader.h"

#include <string.h>

/* What the header says. */
typedef struct header {
    bool has_labels, has_targets;
    bool bare; /* neither of them */
} header;

static tl_status read_flag(const tl_samples *s, tl_field word, bool *flag, tl_error *error) {
    *flag = tl_field_is(word, "true");
    return *flag || tl_field_is(word, "false") ? TL_OK : tl_text_expected(s->text, word, error, "true or false");
}

static tl_status read_size(const tl_samples *s, tl_field word, size_t *size, tl_error *error) {
    double value;
    if (!tl_field_number(s->text, word, &value) || value < 1 || value > 1e9 || value != (double)(size_t)value)
        return tl_text_expected(s->text, word, error, "a whole number from 1 on");
    *size = (size_t)value;
    return TL_OK;
}

static tl_status read_labels(tl_samples *s, tl_field rest, header *h, tl_error *error) {
    if (read_flag(s, tl_field_word(&rest), &h->has_labels, error) != TL_OK || !h->has_labels) return error->status;
    if (rest.begin == rest.end) return tl_text_expected(s->text, rest, error, "the labels after @classLabel true");
    while (rest.begin < rest.end && !tl_failed(error)) tl_samples_declare(s, tl_field_word(&rest), error);
    return error->status;
}

/* One line of the header, without its @. Keys that say nothing of what follows (@problemName, @missing, @univariate …) are passed
 * over. */
static tl_status read_key(tl_samples *s, tl_field line, header *h, tl_error *error) {
    bool flag = false;
    const tl_field key = tl_field_word(&line);
    tl_field rest = line;
    const tl_field value = tl_field_word(&rest);
    if (tl_field_is(key, "classlabel")) return read_labels(s, line, h, error);
    if (tl_field_is(key, "targetlabel")) return read_flag(s, value, &h->has_targets, error);
    if (tl_field_is(key, "equallength")) {
        if (read_flag(s, value, &flag, error) == TL_OK && !flag) s->unequal = s->ragged = true;
        return error->status;
    }
    if (tl_field_is(key, "dimensions") || tl_field_is(key, "dimension")) return read_size(s, value, &s->channels, error);
    if (tl_field_is(key, "serieslength")) return read_size(s, value, &s->length, error);
    if (tl_field_is(key, "timestamps") && read_flag(s, value, &flag, error) == TL_OK && flag)
        tl_text_expected(s->text, value, error, "false (series with time stamps are not supported)");
    return error->status;
}

/* Up to @data. */
static tl_status read_header(tl_samples *s, tl_text *text, header *h, tl_error *error) {
    tl_field line;
    bool data = false;
    while (!data && tl_text_filled_line(text, "#%", &line, error)) {
        if (*line.begin != '@') return tl_text_expected(s->text, line, error, "@data before the first series");
        line.begin++;
        data = tl_field_is(line, "data");
        if (!data) read_key(s, line, h, error);
    }
    if (tl_failed(error)) return error->status;
    if (!data) return tl_text_fail(text, text->end, error, "expected @data, got the end of the file");
    h->bare = s->unlabelled && !h->has_labels && !h->has_targets;
    if (h->has_labels == h->has_targets && !h->bare)
        return tl_text_fail(s->text, line.begin, error,
                            "expected @classLabel true with the labels, or @targetLabel true, before @data");
    s->regression = h->has_targets;
    return TL_OK;
}

static void count_series(tl_samples *s, tl_field line, const header *h) {
    tl_field rest = line, first;
    const size_t channels = tl_samples_count_of(line, ':') + h->bare;
    tl_field_cut(&rest, ':', &first);
    if (channels > 0)
        tl_samples_count(s, 1, tl_samples_count_of(first, ',') + 1, channels, tl_samples_count_of(line, ',') + channels);
}

static tl_status read_series(tl_samples *s, tl_field line, const void *format, tl_error *error) {
    const header *h = format;
    if (s->counting) {
        count_series(s, line, h);
        return TL_OK;
    }
    tl_field rest = line, part;
    bool more = tl_field_cut(&rest, ':', &part);
    if (!more && !h->bare)
        return tl_text_expected(s->text, line, error, "values, a colon and %s", s->regression ? "a target value" : "a label");
    while (more && tl_samples_channel(s, part, ',', error) == TL_OK) more = tl_field_cut(&rest, ':', &part);
    if (h->bare && !tl_failed(error)) tl_samples_channel(s, part, ',', error);
    return tl_failed(error) ? error->status : tl_samples_end(s, part, error);
}

static tl_status fill(tl_samples *s, tl_text *text, tl_error *error) {
    static const tl_line_reader lines = {.comments = "#%", .read = read_series};
    header h = {0};
    return read_header(s, text, &h, error) == TL_OK ? tl_samples_text(s, text, &lines, &h, error) : error->status;
}

static tl_dataset *read_ts(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_read_text(path, cfg, fill, error);
}

static const char *const endings[] = {".ts", NULL};

const tl_reader tl_ts_reader = {.endings = endings, .read = read_ts};
