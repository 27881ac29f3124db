/* Writes a network that reads a series step by step, as in tapline/stream.h: windows, rates and delays are those of the stream's
 * plan. Each layer writes rows into a line (a ring buffer) and reads contiguous windows from the lines of its inputs.
 */
#include "stream/nodes.h"

#include "device/network.h"
#include "layers/registry.h"

#include <stdio.h>
#include <string.h>

typedef struct writing {
    tl_c_network *network;
    const tl_stream_plan *plan;
    const char *name;
    size_t memory; /* values of all lines, scratch rows and running statistics so far */
} writing;

/* ---- nodes ---- */

/* The node of the export for a vertex of the model; NULL: the vertex was folded into another one. */
static const tl_export_node *exported(const writing *w, size_t vertex) {
    const tl_export *net = &w->network->net;
    for (size_t i = 0; i < net->nodes; i++)
        if (net->node[i].vertex == vertex) return &net->node[i];
    return NULL;
}

/* Whether the plan includes the ReLU after a vertex in the layer before it. */
static bool rectifies(const writing *w, size_t vertex) {
    const tl_model *model = w->network->net.model;
    for (size_t v = vertex + 1; v < model->vertices; v++) {
        const tl_vertex *next = &model->vertex[v];
        if (!next->live || next->layer->inputs != 1 || next->input[0] != (int)vertex || next->layer->ops != &tl_relu_layer_ops)
            continue;
        bool own = false;
        for (size_t i = 0; i < w->plan->nodes; i++) own = own || w->plan->node[i].vertex == v;
        if (!own) return true;
    }
    return false;
}

/* Adds this ReLU if the code of the layer does not include it. */
static void rectify_rows(const writing *w, const tl_stream_node *node, size_t rows) {
    if (!rectifies(w, node->vertex) || tl_c_row_of(node->layer->ops)->rectifies) return;
    tl_c_use(&w->network->helpers, TL_C_RELU);
    tl_c_print(&w->network->body, "    for (int i = 0; i < %zu; i++) to[i] = relu(to[i]);\n", rows * node->channels);
}

/* Number of rows that one window produces. */
static size_t rows_of(const tl_stream_node *node) { return node->streaming.outputs; }

/* Number of input rows that a window reads. */
static size_t rows_read(const tl_stream_node *node) {
    const bool transposed =
        node->layer->ops == &tl_conv1d_transpose_layer_ops; /* it needs later rows, because the series may end */
    return transposed ? node->streaming.left + 1 : node->streaming.extent;
}

/* ---- layers with special code on streams ---- */

static void call_pool(const writing *w, const tl_stream_node *node, size_t reader, bool maximum) {
    tl_c_text *body = &w->network->body;
    const size_t extent = node->streaming.extent;
    tl_c_use(&w->network->helpers, maximum ? TL_C_POOL_MAX : TL_C_POOL_AVERAGE);
    tl_c_print(body, "    const int before = reader[%zu].before;\n", reader);
    tl_c_print(body, "    const struct window over = {%zu - before, 1, %zu, 1, 1, before};\n", extent, extent);
    tl_c_print(body, "    pool_%s(&over, %zu, from + before * %zu, to);\n", maximum ? "max" : "average", node->channels,
               node->channels);
}

/* Over all steps so far. */
static void call_running(writing *w, const tl_stream_node *node, bool maximum) {
    tl_c_use(&w->network->helpers, maximum ? TL_C_RUNNING_MAX : TL_C_RUNNING_AVERAGE);
    tl_c_print(&w->network->body, "    running_%s(from, %zu, %zu, memory + %zu, to);\n", maximum ? "max" : "average",
               node->streaming.extent, node->channels, w->memory);
    w->memory += (maximum ? 1 : 2) * node->channels + 1;
}

static void call_last_step(const writing *w, const tl_stream_node *node) {
    tl_c_print(&w->network->body, "    for (int i = 0; i < %zu; i++) to[i] = from[%zu + i];\n", node->channels,
               (node->streaming.extent - 1) * node->channels);
}

/* Writes the code for whole series, applied to the rows of a window. x: place of the first input, TL_C_FROM or TL_C_TO. */
static void call_layer(const writing *w, const tl_stream_node *node, const tl_export_node *from, size_t rows, int x) {
    const tl_layer_ops *fixed = &tl_fixed_filters_layer_ops,
                       *ops = from->layer->ops == fixed ? &tl_conv1d_layer_ops : from->layer->ops;
    tl_export_node window = *from;
    tl_c_step step = {.node = &window, .relu = tl_c_row_of(ops)->rectifies && rectifies(w, node->vertex), .y = {.span = TL_C_TO}};
    for (size_t e = 0; e < from->inputs; e++) step.x[e].span = x - (int)e;
    window.in.length = rows;
    window.out.length = rows_of(node);
    if (x == TL_C_TO) window.out.length = rows;
    tl_c_row_of(ops)->write(w->network, &step);
}

static void call_node(writing *w, const tl_stream_node *node, size_t index) {
    const tl_export_node *from = exported(w, node->vertex);
    const tl_layer_ops *ops = node->layer->ops;
    const bool maximum = ops == &tl_max_pool_layer_ops || ops == &tl_global_max_pool_layer_ops;
    if (!from || !tl_c_layer_of(node->layer))
        tl_export_refuse(&w->network->net, from ? from : &w->network->net.node[0], w->network->error);
    else if (ops == &tl_upsample_layer_ops && tl_export_number(from, "linear", 0) != 0)
        tl_export_fail(&w->network->net, from, w->network->error,
                       "straight lines between steps have no C on a stream; use repeated steps");
    else if (node->streaming.running)
        call_running(w, node, maximum);
    else if (ops == &tl_last_step_layer_ops)
        call_last_step(w, node);
    else if (maximum || ops == &tl_average_pool_layer_ops || ops == &tl_global_average_pool_layer_ops)
        call_pool(w, node, index, maximum);
    else
        call_layer(w, node, from, rows_read(node), TL_C_FROM);
    rectify_rows(w, node, rows_of(node));
}

/* ---- how rows reach a line ---- */

/* Adds the layers that change the rows of this layer in place. Returns the last of these layers. */
static size_t call_sharing(const writing *w, size_t index, size_t rows) {
    const tl_stream_plan *plan = w->plan;
    size_t last = index;
    for (size_t i = index + 1; i < plan->nodes; i++) {
        const tl_stream_node *node = &plan->node[i];
        if (!node->shares || node->line != plan->node[index].line) continue;
        const tl_export_node *from = exported(w, node->vertex);
        last = i;
        if (from && !node->streaming.identity && tl_c_layer_of(from->layer)) call_layer(w, node, from, rows, TL_C_TO);
        rectify_rows(w, node, rows);
    }
    return last;
}

/* Adds the code for a complete row, or for a result. */
static void hand_on(const writing *w, const tl_stream_node *node, bool result, bool copied) {
    tl_c_text *body = &w->network->body;
    if (result) {
        tl_c_write_results(w->network, 1);
        tl_c_print(body, "    y += %zu;\n    outputs++;\n", node->channels);
    }
    if (copied)
        tl_c_print(body, "    for (int i = 0; i < %zu; i++) new_row(&line[%zu], &place[%zu])[i] = to[i];\n", node->channels,
                   node->line, node->line);
    tl_c_print(body, "    end_row(&line[%zu], &place[%zu]);\n", node->line, node->line);
}

/* Adds text with more indentation. */
static void indent(tl_c_text *to, const tl_c_text *from) {
    for (const char *at = from->start; at && *at;) {
        const char *end = strchr(at, '\n');
        const size_t length = end ? (size_t)(end - at) + 1 : strlen(at);
        tl_c_add(to, "    ", 4);
        tl_c_add(to, at, length);
        at += length;
    }
}

/* Starts a block; end_block adds it. */
static tl_c_text begin_block(const writing *w) {
    const tl_c_text outer = w->network->body;
    w->network->body = (tl_c_text){.error = w->network->error};
    return outer;
}

static void end_block(const writing *w, tl_c_text outer) {
    tl_c_text inner = w->network->body;
    w->network->body = outer;
    indent(&w->network->body, &inner);
    tl_c_print(&w->network->body, "    }\n");
    tl_c_text_free(&inner);
}

/* Loops over the rows of a window, without those before the first output. */
static void hand_on_each(const writing *w, size_t index, bool result) {
    const tl_stream_node *node = &w->plan->node[index];
    tl_c_print(&w->network->body, "    for (int row = 0; row < %zu; row++, to += %zu) {\n", rows_of(node), node->channels);
    const tl_c_text outer = begin_block(w);
    tl_c_print(&w->network->body, "    if (reader[%zu].drop > 0) {\n        reader[%zu].drop--;\n        continue;\n    }\n", index,
               index);
    hand_on(w, node, result, true);
    end_block(w, outer);
}

/* ---- one node ---- */

static void write_ready(const writing *w, size_t index) {
    const tl_stream_node *node = &w->plan->node[index];
    tl_c_use(&w->network->helpers, TL_C_READER);
    tl_c_print(&w->network->body, "    while (");
    for (size_t e = 0; e < node->inputs; e++)
        tl_c_print(&w->network->body, "%sready(&place[%zu], &reader[%zu], %zu)", e ? " && " : "", node->input_line[e], index,
                   node->streaming.extent);
    tl_c_print(&w->network->body, ") {\n");
}

static void write_node(writing *w, size_t index) {
    const tl_stream_node *node = &w->plan->node[index];
    const bool single = rows_of(node) == 1 && node->streaming.skip == 0;
    tl_c_text *body = &w->network->body;
    tl_c_print(body, "    /* %s: rows of %zu channels */\n", w->network->net.model->vertex[node->vertex].name, node->channels);
    write_ready(w, index);
    const tl_c_text outer = begin_block(w);
    for (size_t e = 0; e < node->inputs; e++) {
        char number[24] = "";
        if (e > 0) snprintf(number, sizeof number, "%zu", e);
        tl_c_print(body, "    const float *from%s = rows_from(&line[%zu], &place[%zu], reader[%zu].from);\n", number,
                   node->input_line[e], node->input_line[e], index);
    }
    if (single)
        tl_c_print(body, "    float *to = new_row(&line[%zu], &place[%zu]);\n", node->line, node->line);
    else {
        tl_c_print(body, "    float *to = memory + %zu;\n", w->memory);
        w->memory += rows_of(node) * node->channels;
    }
    call_node(w, node, index);
    const bool result = call_sharing(w, index, rows_of(node)) == w->plan->nodes - 1;
    if (single)
        hand_on(w, node, result, false);
    else
        hand_on_each(w, index, result);
    tl_c_print(body, "    go_on(&reader[%zu], %zu);\n", index, node->streaming.stride);
    end_block(w, outer);
}

/* Reads a step of the series. */
static void write_input(const writing *w) {
    const tl_stream_node *node = &w->plan->node[0];
    tl_c_text *body = &w->network->body;
    tl_c_print(body, "    /* the input: rows of %zu channels */\n    {\n", node->channels);
    const tl_c_text outer = begin_block(w);
    tl_c_print(body, "    float *to = new_row(&line[%zu], &place[%zu]);\n", node->line, node->line);
    w->network->input.span = TL_C_TO;
    if (tl_c_scales(w->network))
        tl_c_write_scaling(w->network, 1);
    else
        tl_c_print(body, "    for (int i = 0; i < %zu; i++) to[i] = x[i];\n", node->channels);
    hand_on(w, node, call_sharing(w, 0, 1) == w->plan->nodes - 1, false);
    end_block(w, outer);
}

/* ---- variables of a stream ---- */

/* Number of rows of a line that are needed at the same time. */
static size_t rows_kept(const tl_stream_plan *plan, const tl_stream_line *line) {
    const tl_stream_node *writer = &plan->node[line->writer];
    const size_t new_rows = plan->plain ? 1 : writer->maximum * writer->streaming.outputs + writer->streaming.skip;
    return line->kept + new_rows;
}

static void print_lines(writing *w) {
    tl_c_text *state = &w->network->state;
    tl_c_print(state, "static const struct line line[%zu] = {\n", w->plan->lines);
    for (size_t i = 0; i < w->plan->lines; i++) {
        const tl_stream_line *line = &w->plan->line[i];
        const size_t rows = rows_kept(w->plan, line);
        tl_c_print(state, "    {memory + %zu, %zu, %zu},\n", w->memory, rows, line->channels);
        w->memory += (rows > 1 ? 2 : 1) * rows * line->channels;
    }
    tl_c_print(state, "};\n");
}

static void print_reset(const writing *w) {
    const tl_stream_plan *plan = w->plan;
    tl_c_text *state = &w->network->state;
    tl_c_print(state,
               "\nstatic struct place place[%zu];\nstatic struct reader reader[%zu];\nstatic int begun;\n\nvoid %s_reset(void) {\n "
               "   static const int left[%zu] = {",
               plan->lines, plan->nodes, w->name, plan->nodes);
    for (size_t i = 0; i < plan->nodes; i++) tl_c_print(state, "%s%zu", i ? ", " : "", plan->node[i].streaming.left);
    tl_c_print(state, "}, skip[%zu] = {", plan->nodes);
    for (size_t i = 0; i < plan->nodes; i++) tl_c_print(state, "%s%zu", i ? ", " : "", plan->node[i].streaming.skip);
    tl_c_print(state, "};\n    for (int i = 0; i < %zu; i++) memory[i] = 0;\n", w->memory);
    tl_c_print(state, "    for (int i = 0; i < %zu; i++) {\n        place[i].row = 0;\n        place[i].end = 0;\n    }\n",
               plan->lines);
    tl_c_print(state,
               "    for (int i = 0; i < %zu; i++) {\n        reader[i].from = 0u - (unsigned)left[i];\n        reader[i].before = "
               "left[i];\n",
               plan->nodes);
    tl_c_print(state, "        reader[i].drop = skip[i];\n    }\n    begun = 1;\n}\n");
}

static tl_stream_plan *make_plan(const tl_c_network *network) {
    const tl_stream_cfg cfg = {.block = 1, .window = network->cfg->window, .hop = network->cfg->hop};
    if (network->net.scaling->kind == TL_NORMALIZE_SERIES) {
        tl_fail(
            network->error, TL_ERROR_ARGUMENT,
            "C: the model scales each series by its own mean and deviation, which are not known before the end of a stream; train "
            "with --normalize none or --normalize set");
        return NULL;
    }
    return tl_stream_plan_new(network->net.model, &cfg, network->error);
}

tl_status tl_c_write_stream(tl_c_network *network, const char *name) {
    tl_stream_plan *plan = make_plan(network);
    if (!plan) return network->error->status;
    writing w = {.network = network, .plan = plan, .name = name};
    const tl_stream_node *output = &plan->node[plan->nodes - 1];
    network->streaming = true;
    network->output.span = TL_C_TO;
    network->step_outputs = plan->plain ? 1 : output->maximum * output->streaming.outputs;
    tl_c_use(&network->helpers, TL_C_LINE);
    print_lines(&w);
    tl_c_print(&network->body, "    int outputs = 0;\n    if (!begun) %s_reset();\n", name);
    write_input(&w);
    for (size_t i = 1; i < plan->nodes && !tl_failed(network->error); i++)
        if (!plan->node[i].shares) write_node(&w, i);
    tl_c_print(&network->body, "    return outputs;\n");
    print_reset(&w);
    network->arena = w.memory;
    tl_stream_plan_free(plan);
    return network->error->status;
}
