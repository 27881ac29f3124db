/* The `.ts` format of the UCR and UEA archives (timeseriesclassification.com): lines `@key value`, `@data`, then one series in each
 * line: channels are separated by `:`, their values by `,`, and the label or target value is last. Keys may be in upper or lower
 * case and in any order; most are optional and often missing; the data is checked against those that exist. Lines that start with #
 * or % are comments. With `@timeStamps true` a value is a pair "(time,value)". */
#include "read/reader.h"
#include "read/time.h"

#include <string.h>

/* What the header says. */
typedef struct header {
    bool has_labels, has_targets;
    bool bare;    /* neither of them */
    bool stamped; /* values have times */
    bool warned;  /* of uneven times */
} header;

static tl_status read_flag(const tl_samples *s, tl_field word, bool *flag, tl_error *error) {
    *flag = tl_field_is(word, "true");
    return *flag || tl_field_is(word, "false") ? TL_OK : tl_text_expected(s->text, word, error, "true or false");
}

static tl_status read_size(const tl_samples *s, tl_field word, size_t *size, tl_error *error) {
    double value;
    if (!tl_field_number(s->text, word, &value) || value < 1 || value > 1e9 || value != (double)(size_t)value)
        return tl_text_expected(s->text, word, error, "a whole number of at least 1");
    *size = (size_t)value;
    return TL_OK;
}

static tl_status read_labels(tl_samples *s, tl_field rest, header *h, tl_error *error) {
    if (read_flag(s, tl_field_word(&rest), &h->has_labels, error) != TL_OK || !h->has_labels) return error->status;
    if (rest.begin == rest.end) return tl_text_expected(s->text, rest, error, "the labels after @classLabel true");
    while (rest.begin < rest.end && !tl_failed(error)) tl_samples_declare(s, tl_field_word(&rest), error);
    return error->status;
}

/* Reads a line of the header, without its @. Keys that do not matter for the data (@problemName, @missing, @univariate …) are
 * ignored. */
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
    if (tl_field_is(key, "timestamps")) return read_flag(s, value, &h->stamped, error);
    return error->status;
}

/* Reads up to @data. */
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
                            "expected @classLabel true with the labels, or @targetLabel true, before @data%s",
                            s->reference ? TL_ONLY_PREDICT : "");
    s->regression = h->has_targets;
    return TL_OK;
}

/* ---- series ---- */

/* Removes a channel from *rest. Returns whether a colon followed it; colons within the brackets of a pair belong to its time. */
static bool cut_channel(const header *h, tl_field *rest, tl_field *part) {
    if (!h->stamped) return tl_field_cut(rest, ':', part);
    bool within = false;
    const char *c = rest->begin;
    for (; c < rest->end && (within || *c != ':'); c++) within = *c == '(' || (within && *c != ')');
    *part = (tl_field){rest->begin, c};
    rest->begin = c < rest->end ? c + 1 : c;
    return c < rest->end;
}

static void count_series(tl_samples *s, tl_field line, const header *h) {
    tl_field rest = line, part, first;
    size_t channels = h->bare;
    bool more = cut_channel(h, &rest, &first);
    for (; more; channels++) more = cut_channel(h, &rest, &part);
    if (channels == 0) return;
    if (h->stamped)
        tl_samples_count(s, 1, tl_samples_count_of(first, '('), channels, tl_samples_count_of(line, '('));
    else
        tl_samples_count(s, 1, tl_samples_count_of(first, ',') + 1, channels, tl_samples_count_of(line, ',') + channels);
}

/* Removes "(time,value)" from *rest. */
static tl_status read_pair(tl_samples *s, tl_field *rest, tl_times *times, tl_error *error) {
    const tl_field all = *rest = tl_field_trim(*rest);
    const char *close = all.begin < all.end && *all.begin == '(' ? memchr(all.begin, ')', (size_t)(all.end - all.begin)) : NULL;
    tl_field value = {close, close}, stamp = {all.begin + 1, close};
    double time;
    while (close && value.begin > stamp.begin && value.begin[-1] != ',') value.begin--;
    if (!close || value.begin == stamp.begin) return tl_text_expected(s->text, all, error, "a pair (time,value)");
    stamp = tl_field_trim((tl_field){stamp.begin, value.begin - 1});
    if (!tl_field_time(s->text, stamp, &time))
        return tl_text_expected(s->text, stamp, error, "a time, a number or such as 2024-01-31 12:00:00");
    if (times->steps > 0 && !(time > times->last))
        return tl_text_expected(s->text, stamp, error, "a time after that of the step before");
    tl_times_add(times, time);
    rest->begin = close + 1;
    return tl_samples_number(s, tl_field_trim(value), error);
}

/* Warns of the first series whose steps are not evenly spaced. */
static void check_spacing(const tl_samples *s, header *h, const tl_times *times) {
    char name[40];
    if (h->warned || !tl_times_uneven(times)) return;
    h->warned = true;
    snprintf(name, sizeof name, "line %zu", tl_text_place(s->text).line - 1);
    tl_times_warn(times, s, name);
}

static tl_status read_pairs(tl_samples *s, header *h, tl_field part, tl_error *error) {
    tl_times times = {0};
    for (tl_field rest = part;;) {
        if (read_pair(s, &rest, &times, error) != TL_OK) return error->status;
        rest = tl_field_trim(rest);
        if (rest.begin == rest.end) {
            check_spacing(s, h, &times);
            return tl_samples_end_channel(s, part.begin, error);
        }
        if (*rest.begin != ',') return tl_text_expected(s->text, rest, error, "a comma between pairs");
        rest.begin++;
    }
}

static tl_status read_channel(tl_samples *s, header *h, tl_field part, tl_error *error) {
    return h->stamped ? read_pairs(s, h, part, error) : tl_samples_channel(s, part, ',', error);
}

static tl_status read_series(tl_samples *s, tl_field line, void *format, tl_error *error) {
    header *h = format;
    if (s->counting) {
        count_series(s, line, h);
        return TL_OK;
    }
    tl_field rest = line, part;
    bool more = cut_channel(h, &rest, &part);
    if (!more && !h->bare)
        return tl_text_expected(s->text, line, error, "values, a colon and %s", s->regression ? "a target value" : "a label");
    while (more && read_channel(s, h, part, error) == TL_OK) more = cut_channel(h, &rest, &part);
    if (h->bare && !tl_failed(error)) read_channel(s, h, part, error);
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
