/* What the two precisions have in common of a data set at a glance. */
#include "cli/picture/glance.h"
#include "cli/report.h"

#include <stdio.h>
#include <stdlib.h>

void glance_free(glance *self) {
    for (size_t g = 0; g < self->count; g++) free(self->group[g].mean);
    free(self->x);
    *self = (glance){0};
}

const char *glance_left_out(const glance *self, char text[100]) {
    char all[REPORT_NUMBER];
    *text = '\0';
    if (self->all > self->count)
        snprintf(text, 100, "%zu of %s classes, the largest ones", self->count, report_grouped(all, self->all));
    return text;
}

json_t *glance_json(const glance *self) {
    const size_t *shape = self->data->x.shape;
    json_t *object = json_object(), *groups = json_array();
    report_count(object, "series", shape[0]);
    report_shape(object, self->data);
    report_count(object, "shortest", self->shortest);
    report_count(object, "median", self->median);
    report_count(object, "longest", self->longest);
    json_object_set_new(object, "minimum", report_number(self->smallest));
    json_object_set_new(object, "maximum", report_number(self->largest));
    json_object_set_new(object, "mean", report_number(self->mean));
    json_object_set_new(object, "deviation", report_number(self->deviation));
    for (size_t g = 0; g < self->count; g++) {
        json_t *one = json_object();
        report_text(one, "name", self->group[g].name);
        report_count(one, "series", self->group[g].series);
        json_array_append_new(groups, one);
    }
    json_object_set_new(object, "groups", groups);
    return object;
}
