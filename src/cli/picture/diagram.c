#include "cli/picture/diagram.h"

#include "cli/report.h"

#include <stdlib.h>
#include <string.h>

/* ---- texts of a layer ---- */

const char *layer_text(const json_t *layer, const char *key) {
    const char *text = json_string_value(json_object_get(layer, key));
    return text ? text : "";
}

size_t layer_count(const json_t *layer, const char *key) { return (size_t)json_integer_value(json_object_get(layer, key)); }

void layer_kernel(const json_t *layer, char *text, size_t size) {
    static const char *const keys[][2] = {{"kernel", ""}, {"window", ""}, {"stride", " /"}, {"dilation", " d"}, {"groups", " g"}};
    size_t used = 0;
    *text = '\0';
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const size_t value = layer_count(layer, keys[i][0]);
        if (value <= (i < 2 ? 0 : 1) || used >= size) continue;
        used += (size_t)snprintf(text + used, size - used, "%s%zu", used ? keys[i][1] : keys[i][1] + (i >= 2), value);
    }
}

void layer_shape(const json_t *layer, char *text, size_t size) {
    snprintf(text, size, "(%zu, %zu)", layer_count(layer, "length"), layer_count(layer, "channels"));
}

/* ---- lanes ---- */

enum { LANES = 8, SHAPE = 64 };

/* What happens to a lane beside a row: the output of an earlier layer is in it. */
typedef enum lane {
    LANE_EMPTY = 0,
    LANE_PASS,  /* the layer does not read it */
    LANE_READ,  /* the layer reads it, and so does a later one */
    LANE_END,   /* the layer is the last that reads it */
    LANE_BEGIN, /* the output of this layer, which a layer after the next one reads */
} lane;

/* Row 0 is the input. */
typedef struct row {
    const json_t *layer; /* NULL: the input */
    bool joined;         /* it reads the row above */
    lane lanes[LANES];
} row;

struct diagram {
    row *rows;
    size_t count, lanes; /* lanes that are used */
    tl_shape input;
    double flops; /* of all layers */
};

/* Writes the row of each input of a row; returns their number, at most `room`. */
static size_t find_inputs(const diagram *self, const json_t *places, size_t at, size_t *inputs, size_t room) {
    const json_t *list = json_object_get(self->rows[at].layer, "inputs");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(list) && count < room; i++)
        inputs[count++] = (size_t)json_integer_value(json_object_get(places, json_string_value(json_array_get(list, i))));
    return count;
}

/* The lane of the output of row `source`; LANES: none. */
static size_t lane_of(const size_t held[LANES], size_t source) {
    size_t at = 0;
    while (at < LANES && held[at] != source + 1) at++;
    return at;
}

enum { INPUTS = 64 };

/* last: (count) the last row that reads each row. held: the row whose output is in each lane, plus 1; 0: none. */
static void fill_row(diagram *self, const json_t *places, size_t at, const size_t *last, size_t held[LANES]) {
    row *to = &self->rows[at];
    size_t inputs[INPUTS];
    const size_t count = find_inputs(self, places, at, inputs, INPUTS);
    for (size_t l = 0; l < LANES; l++) to->lanes[l] = held[l] ? LANE_PASS : LANE_EMPTY;
    for (size_t i = 0; i < count; i++) {
        const size_t of = lane_of(held, inputs[i]);
        if (inputs[i] + 1 == at) to->joined = true;
        if (of < LANES) to->lanes[of] = last[inputs[i]] == at ? LANE_END : LANE_READ;
    }
    size_t next = 0;
    while (next < LANES && held[next]) next++;
    for (size_t l = 0; l < LANES; l++)
        if (to->lanes[l] == LANE_END) held[l] = 0;
    if (last[at] <= at + 1 || next == LANES) return;
    to->lanes[next] = LANE_BEGIN;
    held[next] = at + 1;
    if (next + 1 > self->lanes) self->lanes = next + 1;
}

static void fill(diagram *self, tl_error *error) {
    json_t *places = json_object(); /* name → row */
    size_t *last = calloc(self->count, sizeof *last), held[LANES] = {0};
    if (!last) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    for (size_t at = 0; last && at < self->count; at++) {
        size_t inputs[INPUTS];
        const size_t count = find_inputs(self, places, at, inputs, INPUTS);
        for (size_t i = 0; i < count; i++) last[inputs[i]] = at;
        json_object_set_new(places, at ? layer_text(self->rows[at].layer, "name") : "input", json_integer((json_int_t)at));
    }
    for (size_t at = 0; last && at < self->count; at++) fill_row(self, places, at, last, held);
    free(last);
    json_decref(places);
}

diagram *diagram_make(const json_t *layers, tl_shape input, tl_error *error) {
    diagram *self = calloc(1, sizeof *self);
    row *rows = calloc(json_array_size(layers) + 1, sizeof *rows);
    if (!self || !rows) {
        tl_fail(error, TL_ERROR_MEMORY, "out of memory");
        free(self);
        free(rows);
        return NULL;
    }
    *self = (diagram){.rows = rows, .count = json_array_size(layers) + 1, .input = input};
    for (size_t at = 1; at < self->count; at++) {
        rows[at].layer = json_array_get(layers, at - 1);
        self->flops += json_number_value(json_object_get(rows[at].layer, "flops"));
    }
    fill(self, error);
    return self;
}

void diagram_free(diagram *self) {
    if (!self) return;
    free(self->rows);
    free(self);
}

/* ---- columns ---- */

typedef struct columns {
    const char *name;
    char shape[SHAPE], kernel[SHAPE], parameters[REPORT_NUMBER], flops[REPORT_NUMBER];
} columns;

static columns columns_of(const diagram *self, size_t at) {
    const json_t *layer = self->rows[at].layer;
    columns to = {.name = layer ? layer_text(layer, "name") : "input"};
    if (!layer) {
        snprintf(to.shape, sizeof to.shape, "(%zu, %zu)", self->input.length, self->input.channels);
        return to;
    }
    layer_shape(layer, to.shape, sizeof to.shape);
    layer_kernel(layer, to.kernel, sizeof to.kernel);
    if (layer_count(layer, "parameters")) report_grouped(to.parameters, layer_count(layer, "parameters"));
    report_scaled(to.flops, json_number_value(json_object_get(layer, "flops")), "");
    return to;
}

static double share_of(const diagram *self, size_t at) {
    const json_t *layer = self->rows[at].layer;
    return layer && self->flops > 0 ? json_number_value(json_object_get(layer, "flops")) / self->flops : 0;
}

/* ---- the terminal ---- */

/* The last lane that a horizontal line from the row's layer reaches, plus 1. */
static size_t reach_of(const row *self) {
    size_t reach = 0;
    for (size_t l = 0; l < LANES; l++)
        if (self->lanes[l] > LANE_PASS) reach = l + 1;
    return reach;
}

/* The layer, "●", and a line to each lane that it reads or begins. */
static void print_lanes(const diagram *self, size_t at, const terminal *kind, FILE *to) {
    static const char *const signs[2][5] = {{" ", "|", "+", "'", "."}, {" ", "│", "┤", "╯", "╮"}};
    static const char *const crossed[2][5] = {{"-", "|", "+", "+", "+"}, {"─", "│", "┼", "┴", "┬"}};
    const row *of = &self->rows[at];
    const size_t reach = reach_of(of);
    fputs(kind->unicode ? at == 0 || of->joined ? "●" : "◦" : at == 0 || of->joined ? "*" : "o", to);
    for (size_t l = 0; l < self->lanes; l++) {
        fputs(l < reach ? kind->unicode ? "─" : "-" : " ", to);
        fputs(l + 1 < reach ? crossed[kind->unicode][of->lanes[l]] : signs[kind->unicode][of->lanes[l]], to);
    }
    fputs("  ", to);
}

enum { BAR = 10, TABLE = 73 }; /* columns of the terminal: of the bar at most, and of the table without it and the lanes */

/* A bar as long as there is room for. */
static void print_bar(double share, size_t lanes, const terminal *kind, FILE *to) {
    const size_t room = kind->columns > TABLE + lanes ? kind->columns - TABLE - lanes : 0;
    const int full = (int)(share * (double)(room < BAR ? room : BAR) + 0.5);
    for (int i = 0; i < full; i++) fputs(kind->unicode ? "█" : "#", to);
}

void diagram_print(const diagram *self, const terminal *kind, FILE *to) {
    const int lanes = 1 + 2 * (int)self->lanes;
    fprintf(to, "%*s  %-21s %14s %10s %12s %7s\n", lanes, "", "layer", "output", "kernel", "parameters", "FLOPs");
    for (size_t at = 0; at < self->count; at++) {
        const columns of = columns_of(self, at);
        const size_t length = markup_length(of.name);
        print_lanes(self, at, kind, to);
        print_shown(to, of.name);
        fprintf(to, "%*s %14s %10s %12s %7s ", (int)(length < 21 ? 21 - length : 0), "", of.shape, of.kernel, of.parameters,
                of.flops);
        print_bar(share_of(self, at), (size_t)lanes, kind, to);
        fputc('\n', to);
    }
}

/* ---- SVG ---- */

enum { HEIGHT = 24, LANE = 14, DOT = 4 };

static double lane_x(size_t lane_number) { return 10 + LANE * (double)(lane_number + 1); }

/* The lines that come to a row from above and leave it to lanes. */
static void add_lines(const diagram *self, size_t at, markup *to) {
    const row *of = &self->rows[at];
    const double y = HEIGHT * ((double)at + 1.5), above = y - HEIGHT, half = HEIGHT / 2.0;
    if (at > 0 && of->joined) markup_add(to, "<path class=\"rule\" d=\"M10 %.1fV%.1f\"/>", above + DOT, y - DOT);
    for (size_t l = 0; l < self->lanes; l++) {
        const double x = lane_x(l);
        const lane state = of->lanes[l];
        if (state == LANE_PASS || state == LANE_READ)
            markup_add(to, "<path class=\"line thin k0\" d=\"M%.1f %.1fV%.1f\"/>", x, y - half, y + half);
        if (state == LANE_READ || state == LANE_END)
            markup_add(to, "<path class=\"line thin k0\" d=\"M%.1f %.1fV%.1fQ%.1f %.1f %.1f %.1fH%.1f\"/>", x, y - half, y - 6, x,
                       y, x - 6, y, 10.0 + DOT);
        if (state == LANE_BEGIN)
            markup_add(to, "<path class=\"line thin k0\" d=\"M%.1f %.1fH%.1fQ%.1f %.1f %.1f %.1fV%.1f\"/>", 10.0 + DOT, y, x - 6, x,
                       y, x, y + 6, y + half);
    }
}

static void add_row(const diagram *self, size_t at, double left, double width, markup *to) {
    const columns of = columns_of(self, at);
    const double y = HEIGHT * ((double)at + 1.5), share = share_of(self, at);
    const double ends[] = {0.50, 0.62, 0.78, 0.90};
    const char *const texts[] = {of.shape, of.kernel, of.parameters, of.flops};
    markup_add(to, "<circle class=\"%s\" cx=\"10\" cy=\"%.1f\" r=\"%d\"/><text class=\"ink\" x=\"%.1f\" y=\"%.1f\">",
               *of.parameters ? "f0" : "f6", y, DOT, left, y + 4);
    markup_escaped(to, of.name, 22);
    markup_add(to, "</text>");
    for (size_t i = 0; i < 4; i++)
        if (*texts[i])
            markup_add(to, "<text class=\"end\" x=\"%.1f\" y=\"%.1f\">%s</text>", left + (width - left) * ends[i], y + 4, texts[i]);
    const double begin = left + (width - left) * 0.915;
    if (share * (width - begin) > 0.3)
        markup_add(to, "<rect class=\"f0 dot\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"10\"/>", begin, y - 5,
                   share * (width - begin));
}

double diagram_svg(const diagram *self, double x, double y, double width, markup *to) {
    static const char *const heads[] = {"output", "kernel", "parameters", "FLOPs"};
    static const double ends[] = {0.50, 0.62, 0.78, 0.90};
    const double left = lane_x(self->lanes) + 2, height = HEIGHT * ((double)self->count + 1) + 4;
    markup_add(to,
               "<svg class=\"chart\" role=\"img\" aria-label=\"layers\" x=\"%.0f\" y=\"%.0f\" width=\"%.0f\" height=\"%.0f\" "
               "style=\"max-width:%.0fpx;min-width:620px\" viewBox=\"0 0 %.0f %.0f\"><text x=\"%.1f\" y=\"14\">layer</text>",
               x, y, width, height, width, width, height, left);
    for (size_t i = 0; i < 4; i++)
        markup_add(to, "<text class=\"end\" x=\"%.1f\" y=\"14\">%s</text>", left + (width - left) * ends[i], heads[i]);
    for (size_t at = 0; at < self->count; at++) add_lines(self, at, to);
    for (size_t at = 0; at < self->count; at++) add_row(self, at, left, width, to);
    markup_add(to, "</svg>\n");
    return height;
}
