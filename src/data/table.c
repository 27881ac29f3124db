/* Tables with the label first: a series a line, separated by tabs, commas, semicolons or blanks, as the UCR archive of 2018 has
 * them. */
#include "data/reader.h"

#include <string.h>

/* What separates the fields of the first line. */
static char separator_of(tl_field line) {
    static const char separators[] = "\t,;";
    for (const char *c = separators; *c; c++)
        if (memchr(line.begin, *c, (size_t)(line.end - line.begin))) return *c;
    return ' ';
}

static tl_status read_row(tl_samples *s, tl_field line, char separator, tl_error *error) {
    tl_field rest = line, label;
    if (!tl_field_cut(&rest, separator, &label)) return tl_text_expected(s->text, line, error, "a label and values");
    if (tl_samples_channel(s, separator == ' ' ? tl_field_trim(rest) : rest, separator, error) != TL_OK) return error->status;
    return tl_samples_end(s, label, error);
}

static tl_status fill(tl_samples *s, tl_error *error) {
    const char *at = s->text->start;
    char separator = '\0';
    tl_field line;
    while (!tl_failed(error) && tl_text_line(s->text, &at, &line)) {
        if (line.begin == line.end) continue;
        if (!separator) separator = separator_of(line);
        read_row(s, line, separator, error);
    }
    return error->status;
}

static tl_dataset *read_table(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    return tl_read_text(path, cfg, fill, error);
}

static const char *const endings[] = {".tsv", ".csv", ".txt", NULL};

const tl_reader tl_table_reader = {.endings = endings, .read = read_table};
