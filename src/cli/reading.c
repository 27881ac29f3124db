/* How data is read; compiled once for each precision (commands.h). */
#include "cli/reading.h"

#include <stdio.h>
#include <string.h>

static void set(const char **to, const char *given) {
    if (given) *to = given;
}

void IN_PRECISION(reading_apply)(const reading_settings *self, tl_read_cfg *cfg, tl_error *error) {
    set(&cfg->label, self->label);
    set(&cfg->target, self->target);
    set(&cfg->ignore, self->ignore);
    set(&cfg->value, self->value);
    set(&cfg->group, self->group);
    set(&cfg->series, self->series);
    set(&cfg->time, self->time);
    set(&cfg->file, self->file);
    set(&cfg->no_label, self->no_label);
    set(&cfg->annotator, self->annotator);
    set(&cfg->format, self->format);
    if (self->header) tl_header_by_name(self->header, &cfg->header, error);
    if (self->window_target) tl_window_target_by_name(self->window_target, &cfg->window_target, error);
    if (self->window > 0) cfg->window = (size_t)self->window;
    if (self->hop > 0) cfg->hop = (size_t)self->hop;
    cfg->decimal_comma = cfg->decimal_comma || self->decimal_comma;
    if (cfg->window == 0 && (cfg->hop > 0 || self->window_target))
        tl_fail(error, TL_ERROR_ARGUMENT, "--%s requires --window", cfg->hop > 0 ? "hop" : "window-target");
}

const char *IN_PRECISION(reading_given)(const reading_settings *self) {
    const struct {
        const char *option;
        bool given;
    } options[] = {{"--label", self->label},       {"--target", self->target},
                   {"--ignore", self->ignore},     {"--value", self->value},
                   {"--group", self->group},       {"--series", self->series},
                   {"--time", self->time},         {"--file", self->file},
                   {"--no-label", self->no_label}, {"--annotator", self->annotator},
                   {"--header", self->header},     {"--decimal-comma", self->decimal_comma},
                   {"--format", self->format},     {"--window", self->window > 0},
                   {"--hop", self->hop > 0},       {"--window-target", self->window_target}};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (options[i].given) return options[i].option;
    return NULL;
}

void IN_PRECISION(reading_for_page)(const char *page, tl_error *error) {
    const size_t used = strlen(error->text);
    if (page && error->status == TL_ERROR_MEMORY)
        snprintf(error->text + used, sizeof error->text - used, "; --report shows series, and needs all of them in memory");
}
