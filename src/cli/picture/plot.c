/* `tapline plot`: the curves of trainings, from the tables that `tapline train --log` writes. */
#include "cli/picture/plot.h"

#include "cli/commands.h"
#include "cli/files.h"
#include "cli/report.h"
#include "picture/terminal.h"

#include <tapline/file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct plot_settings {
    common_settings common;               /* operands: logs */
    const char *out, *quantities, *along; /* out NULL: the terminal */
} plot_settings;

/* ---- charts ---- */

static const struct {
    const char *name, *title;
    log_column train, validation; /* validation LOG_COLUMNS: none */
} quantities[PLOT_QUANTITIES] = {{"loss", "loss", LOG_TRAIN_LOSS, LOG_VALIDATION_LOSS},
                                 {"accuracy", "accuracy", LOG_TRAIN_ACCURACY, LOG_VALIDATION_ACCURACY},
                                 {"rate", "learning rate", LOG_RATE, LOG_COLUMNS}};

const char *plot_name(size_t index) { return index < PLOT_QUANTITIES ? quantities[index].name : NULL; }

static const char *curve_name(const plot_run *run, bool alone, bool validation) {
    if (alone) return validation ? "validation" : "training";
    return validation ? run->validation_name : run->name;
}

/* Values that span more than a factor of 20, all positive, are drawn on a logarithmic axis. */
static bool is_logarithmic(const chart *self) {
    double minimum = INFINITY, maximum = -INFINITY;
    for (size_t i = 0; i < self->count; i++)
        for (size_t e = 0; e < self->curves[i].count; e++) {
            const double value = self->curves[i].y[e];
            if (!isfinite(value)) continue;
            minimum = fmin(minimum, value);
            maximum = fmax(maximum, value);
        }
    return minimum > 0 && maximum > 20 * minimum;
}

chart_curve *plot_make(chart *to, const plot_run *runs, size_t count, plot_quantity quantity, bool over_seconds, bool apart,
                       tl_error *error) {
    const log_column of[2] = {quantities[quantity].train, quantities[quantity].validation};
    chart_curve *curves = calloc(2 * count + 1, sizeof *curves);
    *to = (chart){.name = quantities[quantity].title,
                  .title = quantities[quantity].title,
                  .x_label = over_seconds ? "seconds" : "epoch",
                  .curves = curves};
    if (!curves) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; curves && i < count; i++)
        for (size_t side = 0; side < 2; side++) {
            const training_log *log = &runs[i].log;
            if (of[side] == LOG_COLUMNS || !log_has(log, of[side])) continue;
            const bool distinct = apart || count == 1;
            curves[to->count] = (chart_curve){.name = curve_name(&runs[i], count == 1, side == 1),
                                              .x = log->column[over_seconds ? LOG_SECONDS : LOG_EPOCH],
                                              .y = log->column[of[side]],
                                              .count = log->epochs,
                                              .colour = distinct ? to->count : i,
                                              .kind = side == 1 && !distinct ? CURVE_DASHED : CURVE_LINE};
            to->count++;
        }
    if (quantity == PLOT_ACCURACY) to->y_to = 1;
    to->logarithmic = quantity == PLOT_LOSS && is_logarithmic(to);
    return curves;
}

/* ---- the command ---- */

static const char *along_name(size_t index) {
    static const char *const names[] = {"epoch", "seconds", NULL};
    return names[index];
}

static bool is_asked(const plot_settings *self, plot_quantity quantity) {
    const char *name = plot_name(quantity);
    for (const char *at = self->quantities; *at; at += strcspn(at, ","), at += *at == ',')
        if (strcspn(at, ",") == strlen(name) && strncmp(at, name, strlen(name)) == 0) return true;
    return false;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Returns "run.csv, validation" for "run.csv"; the caller frees it. NULL if memory is short. */
static char *validation_name(const char *name, tl_error *error) {
    const size_t size = strlen(name) + sizeof ", validation";
    char *text = malloc(size);
    if (text)
        snprintf(text, size, "%s, validation", name);
    else
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    return text;
}

/* The logs and their charts. */
typedef struct plot {
    const plot_settings *settings;
    plot_run runs[MAX_OPERANDS];
    size_t count;
    chart charts[PLOT_QUANTITIES];
    chart_curve *curves[PLOT_QUANTITIES]; /* theirs */
    size_t drawn;                         /* charts with curves */
} plot;

/* Checks before anything is read that the picture can be written, and is none of the logs. */
static void check(const plot_settings *self, tl_error *error) {
    used_file files[MAX_OPERANDS + 1] = {{"--out", self->out, FILE_REPLACED, 0}};
    size_t count = 1;
    if (self->out && !has_ending(self->out, ".svg"))
        tl_fail(error, TL_ERROR_ARGUMENT, "--out %.200s: must end with .svg", self->out);
    for (; count <= MAX_OPERANDS && self->common.operand[count - 1]; count++)
        files[count] = (used_file){"LOG", self->common.operand[count - 1], FILE_READ, 0};
    files_check(files, count, error);
}

static void read_logs(plot *self, tl_error *error) {
    for (; self->count < MAX_OPERANDS && self->settings->common.operand[self->count] && !tl_failed(error); self->count++) {
        const char *path = self->settings->common.operand[self->count];
        plot_run *run = &self->runs[self->count];
        run->name = file_name(path);
        run->validation_name = validation_name(run->name, error);
        log_read(&run->log, path, error);
    }
}

static void make_charts(plot *self, tl_error *error) {
    const bool over_seconds = strcmp(self->settings->along, "seconds") == 0;
    for (size_t q = 0; q < PLOT_QUANTITIES && !tl_failed(error); q++) {
        if (!is_asked(self->settings, (plot_quantity)q)) continue;
        chart *next = &self->charts[self->drawn];
        chart_curve *curves = plot_make(next, self->runs, self->count, (plot_quantity)q, over_seconds, !self->settings->out, error);
        if (next->count > 0)
            self->curves[self->drawn++] = curves;
        else
            free(curves);
    }
    if (self->drawn == 0) tl_fail(error, TL_ERROR_FORMAT, "the logs have no numbers for %.100s", self->settings->quantities);
}

enum { WIDTH = 640, HEIGHT = 200, MARGIN = 20, TERMINAL_ROWS = 10, NAME = 22 };

static void write_svg(plot *self, tl_error *error) {
    double height = MARGIN;
    markup picture = {0};
    for (size_t i = 0; i < self->drawn; i++) {
        chart *one = &self->charts[i];
        one->x = MARGIN;
        one->y = height;
        one->width = WIDTH;
        one->height = HEIGHT + chart_head(one);
        height += one->height + MARGIN;
    }
    picture_begin(&picture, WIDTH + 2 * MARGIN, height);
    for (size_t i = 0; i < self->drawn; i++) chart_svg(&self->charts[i], &picture);
    picture_end(&picture);
    if (picture.short_of_memory) tl_fail(error, TL_ERROR_MEMORY, "%.200s: out of memory", self->settings->out);
    tl_save_bytes(self->settings->out, picture.text, picture.count, error);
    markup_release(&picture);
}

/* The lowest loss of a set, and its epoch. */
static void print_lowest(const training_log *log, log_column column) {
    if (!log_has(log, column)) {
        printf(" %24s", "");
        return;
    }
    const size_t best = log_lowest(log, column);
    char text[40];
    snprintf(text, sizeof text, "%.4g (epoch %.0f)", log->column[column][best], log->column[LOG_EPOCH][best]);
    printf(" %24s", text);
}

static void print_table(const plot *self) {
    printf("\n%-22s %6s %24s %24s\n", "", "epochs", "lowest training loss", "lowest validation loss");
    for (size_t i = 0; i < self->count; i++) {
        const training_log *log = &self->runs[i].log;
        const size_t length = markup_length(self->runs[i].name);
        print_shown(stdout, self->runs[i].name);
        printf("%*s %6.0f", (int)(length < NAME ? NAME - length : 0), "", log->column[LOG_EPOCH][log->epochs - 1]);
        print_lowest(log, LOG_TRAIN_LOSS);
        print_lowest(log, LOG_VALIDATION_LOSS);
        printf("\n");
    }
}

static void print_charts(const plot *self, tl_error *error) {
    const terminal kind = terminal_of(stdout);
    for (size_t i = 0; i < self->drawn; i++) {
        if (i > 0) printf("\n");
        if (!terminal_chart(&self->charts[i], &kind, TERMINAL_ROWS, stdout)) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    }
    print_table(self);
}

static void add_lowest(json_t *object, const training_log *log, const char *key, log_column column) {
    const bool known = log_has(log, column);
    const size_t best = log_lowest(log, column);
    json_t *lowest = known ? json_object() : json_null();
    if (known) {
        json_object_set_new(lowest, "loss", report_number(log->column[column][best]));
        json_object_set_new(lowest, "epoch", report_number(log->column[LOG_EPOCH][best]));
    }
    json_object_set_new(object, key, lowest);
}

static void print_json(const plot *self) {
    json_t *object = json_object(), *list = json_array();
    report_text(object, "out", self->settings->out);
    for (size_t i = 0; i < self->count; i++) {
        const training_log *log = &self->runs[i].log;
        json_t *one = json_object();
        report_text(one, "log", self->settings->common.operand[i]);
        json_object_set_new(one, "epochs", report_number(log->column[LOG_EPOCH][log->epochs - 1]));
        json_object_set_new(one, "seconds", report_number(log->column[LOG_SECONDS][log->epochs - 1]));
        add_lowest(one, log, "lowest_train", LOG_TRAIN_LOSS);
        add_lowest(one, log, "lowest_validation", LOG_VALIDATION_LOSS);
        json_array_append_new(list, one);
    }
    json_object_set_new(object, "runs", list);
    report_json(object);
}

static int run_plot(const void *given) {
    tl_error error = {0};
    plot self = {.settings = given};
    check(self.settings, &error);
    if (!tl_failed(&error)) read_logs(&self, &error);
    if (!tl_failed(&error)) make_charts(&self, &error);
    if (!tl_failed(&error) && self.settings->out) write_svg(&self, &error);
    if (!tl_failed(&error) && self.settings->common.json)
        print_json(&self);
    else if (!tl_failed(&error) && !self.settings->out)
        print_charts(&self, &error);
    for (size_t i = 0; i < self.drawn; i++) free(self.curves[i]);
    for (size_t i = 0; i < self.count; i++) {
        free(self.runs[i].validation_name);
        log_free(&self.runs[i].log);
    }
    return exit_code(self.settings->common.command, &error);
}

/* ---- options ---- */

#define FIELD(name) offsetof(plot_settings, name)

static const option_spec options[] = {
    {"out", "FILE.svg", OPTION_TEXT, FIELD(out), 0, 0, NULL, "write the picture to this file instead of the terminal"},
    {"curve", "NAMES", OPTION_CHOICES, FIELD(quantities), 0, 0, plot_name, "the curves, separated by commas (loss,accuracy)"},
    {"along", "NAME", OPTION_CHOICE, FIELD(along), 0, 0, along_name, "the horizontal axis (epoch)"},
    {0},
};

static plot_settings settings = {.quantities = "loss,accuracy", .along = "epoch"};

static const char *no_precision(void) { return "f32"; } /* it computes nothing */

const command plot_command = {
    .name = "plot",
    .operands = "LOG.csv...",
    .min_operands = 1,
    .max_operands = MAX_OPERANDS,
    .summary = "Draw the curves of one or several trainings in one picture.",
    .example = "tapline plot first.csv second.csv --out curves.svg",
    .details =
        "LOG.csv is a file from `tapline train --log`, also of a training that still runs. Each training has a colour; in an "
        "SVG file, curves of the validation set are dashed. A loss that varies by more than a factor of 20 has a logarithmic "
        "axis.",
    .options = options,
    .settings = &settings,
    .choose_precision = no_precision,
    .writes_files = true,
    .run_f32 = run_plot,
    .run_f64 = run_plot,
};
