/* `tapline show`; compiled once for each precision (commands.h). */
#include "cli/picture/show.h"

#include "cli/files.h"
#include "cli/input.h"
#include "cli/picture/diagram.h"
#include "cli/picture/glance.h"
#include "cli/report.h"
#include "picture/page.h"

#include <tapline/file.h>

#include <stdio.h>
#include <string.h>

/* ---- files ---- */

/* Checks before anything is read that the picture can be written, and is not what is shown. */
static void check(const show_settings *self, tl_error *error) {
    const used_file files[] = {{"--out", self->out, FILE_REPLACED, 0}, {"DATA", self->common.operand[0], FILE_DATA, 0}};
    tl_read_cfg read = {0};
    IN_PRECISION(reading_apply)(&self->reading, &read, error);
    if (self->out && !has_ending(self->out, ".svg") && !has_ending(self->out, ".html"))
        tl_fail(error, TL_ERROR_ARGUMENT, "--out %.200s: must end with .svg or .html", self->out);
    files_check_read(files, sizeof files / sizeof *files, &read, error);
}

static void save(const show_settings *self, const markup *picture, tl_error *error) {
    if (picture->short_of_memory) tl_fail(error, TL_ERROR_MEMORY, "%.200s: out of memory", self->out);
    tl_save_bytes(self->out, picture->text, picture->count, error);
}

/* ---- data ---- */

static tl_dataset *read_data(const show_settings *self, tl_error *error) {
    tl_read_cfg cfg = {.normalize = TL_NORMALIZE_NONE,
                       .unequal = self->unequal,
                       .unlabelled = self->unlabelled,
                       .segment = (size_t)self->segment,
                       .warn = complain_of_data,
                       .max_memory = max_memory(&self->common) / 2};
    if (self->normalize) cfg.normalize = options_normalization(self->normalize, false, error);
    if (self->missing) tl_missing_policy_by_name(self->missing, &cfg.missing_policy, error);
    IN_PRECISION(reading_apply)(&self->reading, &cfg, error);
    tl_dataset *data = tl_dataset_read(input_open(self->common.operand[0], &cfg, error), &cfg, error);
    input_name(error);
    if (data && (size_t)self->channel > data->x.shape[2])
        tl_fail(error, TL_ERROR_ARGUMENT, "--channel %lld: the data has %zu channel%s", (long long)self->channel, data->x.shape[2],
                data->x.shape[2] == 1 ? "" : "s");
    return data;
}

static void print_data(const show_settings *self, const glance *of) {
    const size_t *shape = of->data->x.shape;
    const terminal kind = terminal_of(stdout);
    printf("data       ");
    print_shown(stdout, self->common.operand[0]);
    printf(", %zu series, length %zu, channels %zu", shape[0], shape[1], shape[2]);
    if (of->data->classes > 0) printf(", classes %zu", of->data->classes);
    printf("%s\n", of->data->values ? ", regression" : "");
    IN_PRECISION(glance_print)(of, &kind, stdout);
}

static void write_data(const show_settings *self, const glance *of, tl_error *error) {
    markup picture = {0};
    const char *path = self->common.operand[0];
    if (has_ending(self->out, ".svg"))
        IN_PRECISION(glance_svg)(of, path, &picture);
    else {
        page_begin(&picture, path, 0);
        markup_add(&picture, "<h1>");
        markup_escaped(&picture, path, 0);
        markup_add(&picture, "</h1>\n");
        IN_PRECISION(glance_html)(of, &picture);
        page_end(&picture);
    }
    save(self, &picture, error);
    markup_release(&picture);
}

static void show_data(const show_settings *self, tl_error *error) {
    glance of = {0};
    tl_dataset *data = read_data(self, error);
    if (!tl_failed(error)) IN_PRECISION(glance_make)(&of, data, (size_t)self->channel, error);
    if (!tl_failed(error) && self->out) write_data(self, &of, error);
    if (!tl_failed(error) && self->common.json)
        report_json(glance_json(&of));
    else if (!tl_failed(error) && !self->out)
        print_data(self, &of);
    glance_free(&of);
    tl_dataset_free(data);
}

/* ---- models ---- */

enum { WIDTH = 640, MARGIN = 20, HEAD = 44 };

static void write_model(const show_settings *self, const diagram *of, tl_error *error) {
    markup picture = {0}, drawn = {0};
    const char *path = self->common.operand[0];
    const double height = diagram_svg(of, MARGIN, HEAD, WIDTH, &drawn);
    if (has_ending(self->out, ".svg")) {
        picture_begin(&picture, WIDTH + 2 * MARGIN, HEAD + height + MARGIN);
        markup_add(&picture, "<g class=\"chart\"><text class=\"title\" x=\"20\" y=\"26\">");
        markup_escaped(&picture, path, 80);
        markup_add(&picture, "</text></g>\n%s", drawn.text ? drawn.text : "");
        picture_end(&picture);
    } else {
        page_begin(&picture, path, 0);
        markup_add(&picture, "<h1>");
        markup_escaped(&picture, path, 0);
        markup_add(&picture, "</h1>\n");
        page_scroll_begin(&picture, "layers of the network", "card", "max-width:720px;margin-top:14px");
        markup_add(&picture, "%s</div>\n", drawn.text ? drawn.text : "");
        page_end(&picture);
    }
    picture.short_of_memory = picture.short_of_memory || drawn.short_of_memory;
    save(self, &picture, error);
    markup_release(&drawn);
    markup_release(&picture);
}

static void print_model(const show_settings *self, const tl_model *model, const diagram *of) {
    const terminal kind = terminal_of(stdout);
    char parameters[REPORT_NUMBER];
    printf("model      ");
    print_shown(stdout, self->common.operand[0]);
    printf(", %s parameters, %s\n\n", report_grouped(parameters, tl_parameter_count(model)), tl_precision());
    diagram_print(of, &kind, stdout);
}

/* Fails if an option says how data is read or shown. */
static void check_model(const show_settings *self, tl_error *error) {
    const char *columns = IN_PRECISION(reading_given)(&self->reading);
    const char *option = columns            ? columns
                         : self->channel    ? "--channel"
                         : self->normalize  ? "--normalize"
                         : self->missing    ? "--missing"
                         : self->unequal    ? "--unequal"
                         : self->unlabelled ? "--unlabelled"
                         : self->segment    ? "--segment"
                                            : NULL;
    if (option)
        tl_fail(error, TL_ERROR_ARGUMENT, "%.200s: is a model; %s is for data, and does not apply to it", self->common.operand[0],
                option);
}

static void show_model(const show_settings *self, tl_error *error) {
    check_model(self, error);
    if (tl_failed(error)) return;
    const tl_load_cfg cfg = {.compile = {.batch = 1, .inference_only = true, .plan_only = true}, .max_memory = SIZE_MAX};
    tl_model *model = tl_model_load(self->common.operand[0], &cfg, NULL, error);
    json_t *layers = tl_failed(error) ? NULL : IN_PRECISION(layers_of)(model, error);
    diagram *of = tl_failed(error) ? NULL : diagram_make(layers, tl_input_shape(model), error);
    if (of && self->out) write_model(self, of, error);
    if (!tl_failed(error) && self->common.json) {
        json_t *object = json_object();
        report_text(object, "model", self->common.operand[0]);
        json_object_set(object, "layers", layers);
        report_json(object);
    } else if (!tl_failed(error) && !self->out)
        print_model(self, model, of);
    diagram_free(of);
    json_decref(layers);
    tl_model_free(model);
}

/* ---- the command ---- */

int IN_PRECISION(show)(const void *settings) {
    const show_settings *self = settings;
    const char *path = self->common.operand[0];
    tl_error error = {0}, other = {0};
    check(self, &error);
    if (tl_failed(&error)) {
        /* nothing was read */
    } else if (has_ending(path, ".safetensors") || tl_file_precision(path, &other))
        show_model(self, &error);
    else
        show_data(self, &error);
    return exit_code(self->common.command, &error);
}
