#include "read/channels.h"

#include "read/folder.h"
#include "read/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

static bool ends_with(const char *name, const char *half) {
    char end[20];
    snprintf(end, sizeof end, "_%s.txt", half);
    return tl_has_ending(name, end);
}

/* Files that are not channels. */
static bool is_about(const char *name) { return strncmp(name, "y_", 2) == 0 || strncmp(name, "subject_", 8) == 0; }

/* Returns the half, "train" or "test", if at least two files of the folder are channels of one half. */
static const char *half_of(const char *path, tl_error *error) {
    static const char *const halves[] = {"train", "test"};
    tl_names names;
    const char *half = NULL;
    tl_folder_list(path, false, &names, error);
    for (size_t h = 0; h < 2 && !half; h++) {
        size_t channels = 0, others = 0;
        for (size_t i = 0; i < names.count; i++) {
            if (is_about(names.names[i])) continue;
            channels += ends_with(names.names[i], halves[h]);
            others += !ends_with(names.names[i], halves[h]);
        }
        if (channels > 1 && others == 0) half = halves[h];
    }
    tl_names_free(&names);
    return half;
}

/* Returns the only folder in a folder; NULL if there is none or more. The caller frees it. */
static char *only_folder(const char *path, tl_error *error) {
    tl_names names;
    tl_folder_list(path, true, &names, error);
    char *inside = names.count == 1 ? tl_folder_join(path, names.names[0], error) : NULL;
    tl_names_free(&names);
    return inside;
}

/* Returns FOLDER/WHAT_HALF.txt or FOLDER/../WHAT_HALF.txt; NULL if neither exists. The caller frees it. */
static char *find_beside(const char *folder, const char *what, const char *half, tl_error *error) {
    static const char *const places[] = {"", "../"};
    for (size_t i = 0; i < 2; i++) {
        char name[60];
        snprintf(name, sizeof name, "%s%s_%s.txt", places[i], what, half);
        char *path = tl_folder_join(folder, name, error);
        if (!path || access(path, F_OK) == 0) return path;
        free(path);
    }
    return NULL;
}

/* Returns the folder of the channels: the path, or the only folder in it if the labels are beside that. The caller frees it; NULL:
 * none.
 */
static char *channels_of(const char *path, tl_error *error) {
    if (half_of(path, error)) return strdup(path);
    char *inside = only_folder(path, error);
    const char *half = inside ? half_of(inside, error) : NULL;
    char *labels = half ? find_beside(inside, "y", half, error) : NULL;
    if (!labels) free(inside);
    char *found = labels ? inside : NULL;
    free(labels);
    return found;
}

bool tl_is_channels(const char *path, tl_error *error) {
    char *folder = tl_failed(error) ? NULL : channels_of(path, error);
    const bool is = folder != NULL;
    free(folder);
    return is;
}

/* ---- channels ---- */

static tl_status check_size(const tl_samples *s, const tl_text *text, const tl_table_size *size, tl_error *error) {
    if (size->lines == s->counted && size->columns == s->longest) return TL_OK;
    return tl_fail(error, TL_ERROR_FORMAT, "%s: has %zu lines of %zu numbers, but the channels before it have %zu lines of %zu",
                   text->path, size->lines, size->columns, s->counted, s->longest);
}

static tl_status read_values(tl_samples *s, tl_text *text, const tl_table_size *size, size_t channel, tl_error *error) {
    tl_field line, part;
    tl_text_back(text, size->begin, error);
    for (size_t i = 0; i < size->lines; i++) {
        if (!tl_text_filled_line(text, "", &line, error)) return tl_samples_changed(s, error);
        for (size_t t = 0; t < size->columns && !tl_failed(error); t++) {
            tl_text_cut(text, &line, size->separator, &part, error);
            tl_samples_value(s, part, &s->values[(i * s->longest + t) * s->channels + channel], error);
        }
    }
    return error->status;
}

static tl_status read_channel(tl_samples *s, const char *path, size_t channel, size_t channels, tl_error *error) {
    tl_text text;
    tl_table_size size;
    const tl_text *before = s->text;
    tl_text_open(&text, path, error);
    if (s->cfg->decimal_comma) text.point = ',';
    if (!tl_failed(error) && tl_table_measure(&text, &size, error) == TL_OK) {
        s->text = &text;
        s->together = true;
        if (s->counting && channel == 0)
            tl_samples_count(s, size.lines, size.columns, channels, size.lines * size.columns * channels);
        else if (check_size(s, &text, &size, error) == TL_OK && !s->counting)
            read_values(s, &text, &size, channel, error);
    }
    s->text = before;
    tl_text_release(&text);
    return error->status;
}

static tl_status read_all(tl_samples *s, const char *folder, tl_error *error) {
    tl_names names;
    size_t channels = 0, channel = 0;
    tl_folder_list(folder, false, &names, error);
    for (size_t i = 0; i < names.count; i++) channels += !is_about(names.names[i]);
    for (size_t i = 0; i < names.count && !tl_failed(error); i++) {
        if (is_about(names.names[i])) continue;
        char *path = tl_folder_join(folder, names.names[i], error);
        if (path) read_channel(s, path, channel++, channels, error);
        free(path);
    }
    tl_names_free(&names);
    return error->status;
}

/* ---- labels and groups ---- */

typedef tl_status take_line(tl_samples *s, tl_field line, tl_error *error);

static tl_status take_label(tl_samples *s, tl_field line, tl_error *error) { return tl_samples_label(s, 0, line, error); }

/* One line for each series. */
static tl_status read_lines(tl_samples *s, const char *path, take_line *take, tl_error *error) {
    tl_text text;
    tl_field line;
    const tl_text *before = s->text;
    s->series = 0;
    if (tl_text_open(&text, path, error) == TL_OK) {
        s->text = &text;
        while (tl_text_filled_line(&text, "", &line, error)) {
            if (s->series == s->room)
                tl_text_fail(&text, line.begin, error, "expected %zu lines, as in the channels, got more", s->room);
            else if (take(s, line, error) == TL_OK)
                s->series++;
        }
        if (!tl_failed(error) && s->series < s->room)
            tl_text_fail(&text, text.end, error, "expected %zu lines, as in the channels, got %zu", s->room, s->series);
    }
    s->text = before;
    tl_text_release(&text);
    return error->status;
}

static tl_status end_series(tl_samples *s, tl_error *error) {
    s->series = 0;
    for (size_t i = 0; i < s->counted && !tl_failed(error); i++) {
        s->length = s->longest;
        s->channel = s->channels;
        tl_samples_keep(s, NULL, error);
    }
    return error->status;
}

static tl_status read_about(tl_samples *s, const char *labels, const char *groups, tl_error *error) {
    if (labels && !s->unlabelled && read_lines(s, labels, take_label, error) != TL_OK) return error->status;
    if (groups && s->grouped && read_lines(s, groups, tl_samples_group, error) != TL_OK) return error->status;
    return end_series(s, error);
}

tl_status tl_channels_read(tl_samples *s, const char *path, tl_error *error) {
    char *folder = channels_of(path, error);
    const char *half = folder ? half_of(folder, error) : NULL;
    char *labels = half ? find_beside(folder, "y", half, error) : NULL,
         *groups = half ? find_beside(folder, "subject", half, error) : NULL;
    s->grouped = groups != NULL;
    if (!half)
        tl_fail(error, TL_ERROR_FILE, "%s: changed while it was read", path);
    else if (!labels && !s->unlabelled)
        tl_fail(error, TL_ERROR_FORMAT,
                "%s: its files are named as channels, NAME_%s.txt; the labels, one in each line, must be in y_%s.txt in this "
                "folder or in the folder above",
                path, half, half);
    else if (read_all(s, folder, error) == TL_OK && !s->counting)
        read_about(s, labels, groups, error);
    free(folder);
    free(labels);
    free(groups);
    return error->status;
}
