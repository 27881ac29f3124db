/* What a page says of the data, the layers and the predictions; compiled once for each precision (commands.h). */
#include "cli/page/run_page.h"

#include "cli/page/activation_map.h"
#include "cli/page/verdict.h"
#include "cli/picture/diagram.h"
#include "cli/picture/glance.h"
#include "cli/report.h"
#include "picture/page.h"

#include <tapline/ensemble.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define judge IN_PRECISION(judge)
#define run_page_begin IN_PRECISION(run_page_begin)
#define run_page_judge IN_PRECISION(run_page_judge)
#define glance_series IN_PRECISION(glance_series)

/* As an ensemble of one: metrics and predictions then need only one pass over the data. */
void judge(judged *to, tl_model *model, const tl_dataset *data, const char *set, tl_error *error) {
    const tl_shape out = tl_output_shape(model);
    const size_t shape[] = {data->x.shape[0], out.length, out.channels};
    *to = (judged){.set = set, .data = data, .loss = tl_model_loss(model)};
    if (tl_failed(error)) return;
    tl_ensemble *alone = tl_ensemble_new(data, error);
    tl_ensemble_add(alone, model, error);
    tl_ensemble_evaluate(alone, &to->metrics, error);
    if (!tl_failed(error)) to->y = tl_tensor_new(3, shape, error);
    if (!tl_failed(error)) tl_ensemble_predict(alone, &to->y, error);
    tl_ensemble_free(alone);
}

/* ---- data and layers ---- */

enum { DIAGRAM = 680 };

void run_page_begin(run_page *self, const run_page_about *about, const tl_dataset *data, const tl_model *model, tl_error *error) {
    glance of = {0};
    *self = (run_page){.about = *about, .run.name = "", .last = {.train = report_no_metrics, .validation = report_no_metrics}};
    if (tl_failed(error)) return;
    IN_PRECISION(glance_make)(&of, data, 0, error);
    if (!tl_failed(error)) {
        markup_add(&self->data, "<p class=\"soft\">Series as the network gets them%s.</p>\n",
                   data->scaling.kind == TL_NORMALIZE_NONE ? "" : ", which are scaled");
        IN_PRECISION(glance_html)(&of, &self->data);
    }
    glance_free(&of);
    json_t *layers = model && !tl_failed(error) ? IN_PRECISION(layers_of)(model, error) : NULL;
    diagram *drawn = layers ? diagram_make(layers, tl_input_shape(model), error) : NULL;
    if (drawn) {
        char parameters[REPORT_NUMBER];
        markup_add(&self->layers, "<p class=\"soft\">%s parameters. A bar is the share of the operations (FLOPs).</p>\n",
                   report_grouped(parameters, tl_parameter_count(model)));
        page_scroll_begin(&self->layers, "layers of the network", "card", "max-width:720px");
        diagram_svg(drawn, 0, 0, DIAGRAM, &self->layers);
        markup_add(&self->layers, "</div>\n");
    }
    diagram_free(drawn);
    json_decref(layers);
}

/* ---- metrics ---- */

static void add_figures(const judged *of, markup *to) {
    static const char *const names[REPORT_METRICS] = {"loss",
                                                      "accuracy",
                                                      "root mean squared error",
                                                      "mean absolute error",
                                                      "balanced accuracy",
                                                      "F1",
                                                      "AUROC",
                                                      "R²",
                                                      "subset accuracy",
                                                      "micro F1",
                                                      "macro F1"};
    static const size_t order[] = {1, 4, 5, 6, 8, 9, 10, 7, 2, 3, 0};
    const report_targets targets = report_targets_of(of->data->classes, of->loss);
    double values[REPORT_METRICS];
    char series[REPORT_NUMBER];
    memcpy(values, &of->metrics, sizeof values);
    markup_add(to, "<ul class=\"figures\">");
    for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
        const size_t m = order[i];
        const bool share = m == 1 || (m >= 4 && m <= 10);
        if (!isfinite(values[m]) || !report_metric_of[m].of[targets]) continue;
        markup_add(to, share ? "<li><b>%.3f</b><span>%s</span></li>" : "<li><b>%.3g</b><span>%s</span></li>", values[m], names[m]);
    }
    markup_add(to, "<li><b>%s</b><span>%s series</span></li></ul>\n", report_grouped(series, of->data->x.shape[0]), of->set);
}

/* ---- classes ---- */

static size_t largest(const tl_real *y, size_t classes) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (y[c] > y[best]) best = c;
    return best;
}

/* The predictions for all series, or steps, that have a label. The caller frees them. */
static verdicts find_verdicts(const judged *of, tl_error *error) {
    const size_t rows = of->y.shape[0] * of->y.shape[1], classes = of->y.shape[2];
    verdicts all = {.of = calloc(rows + 1, sizeof *all.of),
                    .classes = classes,
                    .names = of->data->classes >= classes ? of->data->class_names : NULL,
                    .noun = of->y.shape[1] > 1 ? "steps" : "series"};
    if (!all.of) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; all.of && i < rows; i++) {
        const tl_real *y = of->y.data + i * classes;
        const size_t best = largest(y, classes);
        if (of->data->labels[i] >= 0 && (size_t)of->data->labels[i] < classes)
            all.of[all.count++] = (verdict){of->data->labels[i], (int32_t)best, (float)y[best]};
    }
    return all;
}

static void add_classes(run_page *self, const judged *of, tl_error *error) {
    markup *to = &self->results;
    verdicts all = find_verdicts(of, error);
    if (!tl_failed(error) && all.count > 0) {
        markup_add(to, "<div class=\"row\"><div class=\"card\" id=\"confused\"><h3>Which class is confused with which?</h3>\n");
        verdict_confusion(&all, to);
        markup_add(to, "</div>\n");
        self->beside = to->count;
        markup_add(to, "<div class=\"card\"><h3>Are the probabilities right?</h3>\n");
        verdict_reliability(&all, to);
        markup_add(to, "</div>\n<div class=\"card\"><h3>Classes</h3>\n");
        verdict_table(&all, to);
        markup_add(to, "</div></div>\n");
    }
    free(all.of);
}

/* ---- values ---- */

enum { DOTS = 1000, OUTPUTS = 3, WIDTH = 400, HEIGHT = 272 };

static size_t count_rows(const judged *of) { return of->y.shape[0] * of->y.shape[1]; }

static double target_at(const judged *of, size_t row, size_t output) {
    return (double)of->data->values[row * of->y.shape[2] + output];
}

static double value_at(const judged *of, size_t row, size_t output) { return (double)of->y.data[row * of->y.shape[2] + output]; }

static int compare_numbers(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of the absolute errors of an output; NaN: no target is known, or memory is short. */
static double median_error(const judged *of, size_t output) {
    double *errors = calloc(count_rows(of) + 1, sizeof *errors), result = NAN;
    size_t count = 0;
    for (size_t i = 0; errors && i < count_rows(of); i++) {
        const double difference = fabs(value_at(of, i, output) - target_at(of, i, output));
        if (isfinite(difference)) errors[count++] = difference;
    }
    if (count > 0) {
        qsort(errors, count, sizeof *errors, compare_numbers);
        result = errors[count / 2];
    }
    free(errors);
    return result;
}

/* Predicted over true values, of at most DOTS series or steps. */
static void add_scatter(const judged *of, size_t output, markup *to) {
    const size_t rows = count_rows(of), each = (rows + DOTS - 1) / DOTS;
    double *x = calloc(2 * DOTS + 2, sizeof *x), *y = x + DOTS, ends[2] = {INFINITY, -INFINITY};
    size_t count = 0;
    for (size_t i = 0; x && i < rows; i += each) {
        if (!isfinite(target_at(of, i, output)) || !isfinite(value_at(of, i, output))) continue;
        x[count] = target_at(of, i, output);
        y[count] = value_at(of, i, output);
        ends[0] = fmin(ends[0], fmin(x[count], y[count]));
        ends[1] = fmax(ends[1], fmax(x[count], y[count]));
        count++;
    }
    const chart_curve curves[] = {{.name = "as it should be", .x = ends, .y = ends, .count = 2, .colour = 6, .kind = CURVE_DASHED},
                                  {.name = "prediction", .x = x, .y = y, .count = count, .kind = CURVE_DOTS}};
    const chart drawn = {
        .name = "predictions over targets", .x_label = "target", .curves = curves, .count = 2, .width = WIDTH, .height = HEIGHT};
    if (count > 0) chart_svg(&drawn, to);
    to->short_of_memory = to->short_of_memory || !x;
    free(x);
}

static void add_values(run_page *self, const judged *of) {
    markup *to = &self->results;
    const size_t outputs = of->y.shape[2], shown = outputs < OUTPUTS ? outputs : OUTPUTS;
    markup_add(to, "<div class=\"row\">");
    for (size_t c = 0; c < shown; c++) {
        markup_add(to,
                   c == 0 ? "<div class=\"card\" id=\"confused\"><h3>How close are the predictions?</h3>\n"
                          : "<div class=\"card\"><h3>Value %zu</h3>\n",
                   c + 1);
        const double median = median_error(of, c);
        if (isfinite(median))
            markup_add(to, "<p class=\"answer\">Half of them differ from the target by at most %.3g.</p>\n", median);
        add_scatter(of, c, to);
        markup_add(to, "</div>\n");
        if (c == 0) self->beside = to->count;
    }
    markup_add(to, "</div>\n");
    if (shown < outputs) markup_add(to, "<small>The first %zu of %zu values.</small>\n", shown, outputs);
}

/* ---- several labels for one series ---- */

enum { ROWS = 50 };

static void add_share(double share, markup *to) {
    if (isnan(share))
        markup_add(to, "<td>–</td>");
    else
        markup_add(to, "<td>%.3f</td>", share);
}

/* An output as a label that holds if its probability is at least one half. */
static void add_label(const judged *of, size_t output, markup *to) {
    double true_positive = 0, labelled = 0, predicted = 0;
    for (size_t i = 0; i < count_rows(of); i++) {
        const bool label = target_at(of, i, output) >= 0.5, found = value_at(of, i, output) >= 0.5;
        if (!isfinite(target_at(of, i, output))) continue;
        labelled += label;
        predicted += found;
        true_positive += label && found;
    }
    markup_add(to, "<tr><td>label %zu</td><td>%.0f</td><td>%.0f</td>", output + 1, labelled, predicted);
    add_share(predicted > 0 ? true_positive / predicted : NAN, to);
    add_share(labelled > 0 ? true_positive / labelled : NAN, to);
    add_share(labelled + predicted > 0 ? 2 * true_positive / (labelled + predicted) : NAN, to);
    markup_add(to, "</tr>\n");
}

/* The probabilities of all labels, as predictions of two classes. */
static void add_label_reliability(const judged *of, markup *to, tl_error *error) {
    const size_t outputs = of->y.shape[2], count = count_rows(of) * outputs;
    verdicts all = {.of = calloc(count + 1, sizeof *all.of), .classes = 2, .noun = "labels"};
    if (!all.of) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t i = 0; all.of && i < count; i++) {
        const double target = (double)of->data->values[i], probability = (double)of->y.data[i];
        const int32_t found = probability >= 0.5;
        if (isfinite(target)) all.of[all.count++] = (verdict){target >= 0.5, found, (float)(found ? probability : 1 - probability)};
    }
    if (all.count > 0) verdict_reliability(&all, to);
    free(all.of);
}

static void add_labels(run_page *self, const judged *of, tl_error *error) {
    markup *to = &self->results;
    const size_t outputs = of->y.shape[2], shown = outputs < ROWS ? outputs : ROWS;
    markup_add(to, "<div class=\"row\"><div class=\"card\" id=\"confused\"><h3>Which labels are found?</h3>\n");
    page_scroll_begin(to, "table of the labels", "", "");
    markup_add(to, "<table><tr><th></th><th>labelled</th><th>predicted</th><th>precision</th><th>recall</th><th>F1</"
                   "th></tr>\n");
    for (size_t c = 0; c < shown; c++) add_label(of, c, to);
    markup_add(to, "</table></div>\n<small>A label is predicted if its probability is at least 0.5.");
    if (shown < outputs) markup_add(to, " The first %zu of %zu labels.", shown, outputs);
    markup_add(to, "</small></div>\n");
    self->beside = to->count;
    markup_add(to, "<div class=\"card\"><h3>Are the probabilities right?</h3>\n");
    add_label_reliability(of, to, error);
    markup_add(to, "</div></div>\n");
}

/* ---- single series ---- */

enum { TILES = 8, TILE_WIDTH = 300, TILE_HEIGHT = 150, CHANNELS = 3 };

/* A series that is shown, and why. */
typedef struct example {
    size_t series;
    size_t class; /* that its map is about */
    double order; /* the largest first */
} example;

/* Keeps the examples with the largest order, sorted. Returns their number. */
static size_t keep(example *list, size_t count, example one) {
    size_t at = count < TILES ? count : TILES;
    if (!isfinite(one.order)) return count;
    while (at > 0 && list[at - 1].order < one.order) {
        if (at < TILES) list[at] = list[at - 1];
        at--;
    }
    if (at < TILES) list[at] = one;
    return count < TILES ? count + 1 : count;
}

static void name_class(const judged *of, size_t class, char *text, size_t size) {
    if (of->data->class_names && class < of->data->classes)
        snprintf(text, size, "%.60s", of->data->class_names[class]);
    else
        snprintf(text, size, "%zu", class);
}

static void add_tile(const judged *of, const example *one, const char *title, activation_map *map, markup *to) {
    const size_t channels = of->data->x.shape[2] < CHANNELS ? of->data->x.shape[2] : CHANNELS;
    double *points = calloc(2 * CHANNELS * 2 * GLANCE_POINTS, sizeof *points), heat[ACTIVATION_POINTS];
    chart_curve curves[CHANNELS];
    to->short_of_memory = to->short_of_memory || !points;
    for (size_t c = 0; points && c < channels; c++) {
        double *x = points + 4 * c * GLANCE_POINTS, *y = x + 2 * GLANCE_POINTS;
        curves[c] = (chart_curve){.x = x, .y = y, .count = glance_series(of->data, one->series, c, x, y), .colour = c};
    }
    chart drawn = {.name = title, .curves = curves, .count = channels, .width = TILE_WIDTH, .height = TILE_HEIGHT, .heat = heat};
    if (map) drawn.heats = IN_PRECISION(activation_map_of)(map, of->data, one->series, one->class, heat);
    page_tile_begin(to, title);
    if (points) chart_svg(&drawn, to);
    markup_add(to, "</div>\n");
    free(points);
}

/* The explanation of the shades; "" without a map. */
static void add_shades(const activation_map *map, const char *what, markup *to) {
    if (map) markup_add(to, " Shaded: the steps that speak for %s (class activation map, Zhou et al. 2016).", what);
}

static void add_mistakes(const judged *of, activation_map *map, markup *to) {
    example list[TILES];
    size_t count = 0;
    const size_t classes = of->y.shape[2];
    for (size_t i = 0; i < of->y.shape[0]; i++) {
        const size_t best = largest(of->y.data + i * classes, classes);
        if (of->data->labels[i] < 0 || (size_t)of->data->labels[i] == best) continue;
        count = keep(list, count, (example){i, best, (double)of->y.data[i * classes + best]});
    }
    if (count == 0) return;
    page_section(to, "mistakes", "The most certain mistakes");
    markup_add(to, "<p class=\"soft\">Wrong predictions with the highest probability.");
    add_shades(map, "the wrong class", to);
    markup_add(to, "</p>\n<div class=\"tiles\">");
    for (size_t i = 0; i < count; i++) {
        char title[200], label[80], predicted[80];
        name_class(of, (size_t)of->data->labels[list[i].series], label, sizeof label);
        name_class(of, list[i].class, predicted, sizeof predicted);
        snprintf(title, sizeof title, "%s, taken for %s (%.3g)", label, predicted, list[i].order);
        add_tile(of, &list[i], title, map, to);
    }
    markup_add(to, "</div>\n");
}

/* For each class the series that is recognised with the highest probability. */
static void add_maps(const judged *of, activation_map *map, markup *to) {
    const size_t classes = of->y.shape[2];
    if (!map) return;
    page_section(to, "maps", "Where the network looks");
    markup_add(to, "<p class=\"soft\">For each class, the series that is recognised with the highest probability.");
    add_shades(map, "its class", to);
    if (classes > TILES) markup_add(to, " The first %d classes.", (int)TILES);
    markup_add(to, "</p>\n<div class=\"tiles\">");
    for (size_t c = 0; c < classes && c < TILES; c++) {
        example best = {.class = c, .order = -INFINITY};
        for (size_t i = 0; i < of->y.shape[0]; i++) {
            const tl_real *y = of->y.data + i * classes;
            if (of->data->labels[i] != (int32_t)c || largest(y, classes) != c || !((double)y[c] > best.order)) continue;
            best.series = i;
            best.order = (double)y[c];
        }
        char title[200], name[80];
        name_class(of, c, name, sizeof name);
        snprintf(title, sizeof title, "%s (%.3g)", name, best.order);
        if (isfinite(best.order)) add_tile(of, &best, title, map, to);
    }
    markup_add(to, "</div>\n");
}

static void add_errors(const judged *of, markup *to) {
    example list[TILES];
    size_t count = 0;
    const size_t outputs = of->y.shape[2];
    for (size_t i = 0; i < of->y.shape[0]; i++)
        count = keep(list, count, (example){i, 0, fabs(value_at(of, i, 0) - target_at(of, i, 0))});
    page_section(to, "mistakes", "The largest errors");
    if (outputs > 1) markup_add(to, "<p class=\"soft\">Of the first of %zu values.</p>\n", outputs);
    markup_add(to, "<div class=\"tiles\">");
    for (size_t i = 0; i < count; i++) {
        char title[200];
        snprintf(title, sizeof title, "target %.4g, predicted %.4g", target_at(of, list[i].series, 0),
                 value_at(of, list[i].series, 0));
        add_tile(of, &list[i], title, NULL, to);
    }
    markup_add(to, "</div>\n");
}

/* ---- all ---- */

void run_page_judge(run_page *self, const judged *of, const tl_model *model, tl_error *error) {
    if (tl_failed(error)) return;
    const bool single = of->y.shape[1] == 1; /* a target for each series */
    add_figures(of, &self->results);
    if (of->data->classes > 0) {
        activation_map *map = model && single ? IN_PRECISION(activation_map_make)(model, of->data) : NULL;
        add_classes(self, of, error);
        if (single) add_mistakes(of, map, &self->results);
        if (single) add_maps(of, map, &self->results);
        IN_PRECISION(activation_map_free)(map);
    } else if (of->loss == TL_LOSS_BINARY_CROSS_ENTROPY)
        add_labels(self, of, error);
    else {
        add_values(self, of);
        if (single) add_errors(of, &self->results);
    }
}
