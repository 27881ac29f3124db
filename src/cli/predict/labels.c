#include "cli/predict/labels.h"

#include "cli/report.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each heading is on a line. */
static void add_headings(json_t *names, const char *headings) {
    for (const char *end; (end = strchr(headings, '\n')) != NULL; headings = end + 1) {
        char *copy = strndup(headings, (size_t)(end - headings));
        json_array_append_new(names, report_string(copy));
        free(copy);
    }
}

json_t *IN_PRECISION(labels_names)(const tl_model_info *info, size_t labels) {
    json_t *names = json_array();
    char text[24];
    if (info->read.target_names) add_headings(names, info->read.target_names);
    if (json_array_size(names) != labels) json_array_clear(names); /* a file of another program */
    for (size_t c = json_array_size(names); c < labels; c++) {
        snprintf(text, sizeof text, "%zu", c);
        json_array_append_new(names, json_string(text));
    }
    return names;
}

void IN_PRECISION(labels_count)(const tl_tensor *y, const tl_dataset *data, size_t *counts) {
    const size_t steps = y->shape[1], labels = y->shape[2];
    memset(counts, 0, 4 * labels * sizeof *counts);
    for (size_t i = 0; i < y->shape[0]; i++) {
        const size_t used = data->lengths && steps == data->x.shape[1] ? data->lengths[i] : steps;
        for (size_t k = 0; k < used * labels; k++) {
            const tl_real given = data->values[i * steps * labels + k], predicted = y->data[i * steps * labels + k];
            if (!isnan(given)) counts[4 * (k % labels) + 2 * (size_t)(given == 1) + (size_t)(predicted > (tl_real)0.5)]++;
        }
    }
}
