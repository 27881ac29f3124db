/* Plans the nodes of a stream and their sizes, once; everything that may fail is here. */
#include "stream/nodes.h"

#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NONE = -1, SLACK_ROWS = 16 };

static const size_t max_block = 65536, default_block = 64;

/* The state while a plan is made. */
typedef struct making {
    const tl_model *model;
    const tl_stream_cfg *cfg;
    tl_stream_plan *plan;
    tl_error *error;
    size_t *readers;      /* (vertices) number of live ones */
    int *node_of;         /* (vertices) NONE: not live */
    size_t *line_readers; /* (lines) */
    bool over_all;        /* there is a layer over all of time */
} making;

static void fail_node(const making *m, const tl_stream_node *node, tl_status status, const char *text) {
    tl_layer_fail(m->error, status, node->vertex, node->layer->ops->name, text);
}

/* ---- rates ---- */

/* rate · up / down in lowest terms; returns false if that overflows. */
static bool scale_rate(tl_stream_rate *rate, size_t up, size_t down) {
    const size_t a = tl_common_divisor(rate->outputs, down), b = tl_common_divisor(up, rate->steps);
    rate->outputs /= a;
    rate->steps /= b;
    return tl_multiply_sizes(rate->outputs, up / b, &rate->outputs) && tl_multiply_sizes(rate->steps, down / a, &rate->steps);
}

/* Converts `steps` steps of the stream's input to rows of a layer's input, for a window or hop. */
static size_t rows_of(const making *m, const tl_stream_node *node, const char *what, size_t steps, tl_stream_rate rate) {
    char text[160];
    size_t rows;
    if (steps % rate.steps == 0 && tl_multiply_sizes(steps / rate.steps, rate.outputs, &rows) && rows <= PTRDIFF_MAX / 64)
        return rows;
    snprintf(text, sizeof text, "%s %zu is not a multiple of %zu steps, for which the layers before give %zu outputs", what, steps,
             rate.steps, rate.outputs);
    fail_node(m, node, TL_ERROR_ARGUMENT, text);
    return 1;
}

/* ---- nodes ---- */

/* Sets the window of a layer over all of time. */
static void set_window(making *m, tl_stream_node *node, tl_stream_rate rate) {
    const tl_stream_cfg *cfg = m->cfg;
    m->over_all = true;
    node->single = true;
    node->streaming.stride = cfg->hop ? rows_of(m, node, "hop", cfg->hop, rate) : 1;
    node->streaming.extent = cfg->window ? rows_of(m, node, "window", cfg->window, rate) : node->streaming.stride;
    node->streaming.running = cfg->window == 0 && node->streaming.state > 0;
}

static bool pointwise(const tl_streaming *streaming) {
    return streaming->extent == 1 && streaming->stride == 1 && streaming->left == 0 && streaming->outputs == 1;
}

static void plan_window(making *m, tl_stream_node *node) {
    const tl_layer_ops *ops = node->layer->ops;
    tl_error error = {0};
    node->streaming = (tl_streaming){.extent = 1, .stride = 1, .outputs = 1};
    if (!ops->stepwise && !ops->stream)
        tl_fail(&error, TL_ERROR_ARGUMENT, "does not work on a stream: its tl_layer_ops has neither `stepwise` nor `stream`");
    else if (ops->stream && ops->stream->plan)
        ops->stream->plan(node->layer, &m->plan->workers, &node->streaming, &error);
    if (tl_failed(&error)) fail_node(m, node, error.status, error.text);
}

/* The inputs of a node must have the same rate and be of the same kind. */
static void join_inputs(making *m, tl_stream_node *node) {
    const tl_stream_node *first = &m->plan->node[node->input[0]];
    char text[160];
    node->rate = first->rate;
    node->single = first->single;
    node->early = first->early;
    node->late = first->late;
    for (size_t e = 1; e < node->inputs; e++) {
        const tl_stream_node *other = &m->plan->node[node->input[e]];
        node->early = fmax(node->early, other->early);
        node->late = fmax(node->late, other->late);
        if (other->rate.outputs == node->rate.outputs && other->rate.steps == node->rate.steps && other->single == node->single)
            continue;
        snprintf(text, sizeof text,
                 "input 0 has %zu steps for %zu steps of the stream, input %zu has %zu for %zu; the rates must be equal",
                 node->rate.outputs, node->rate.steps, e, other->rate.outputs, other->rate.steps);
        fail_node(m, node, TL_ERROR_SHAPE, text);
    }
}

/* Computes the rate of the outputs from the rate of the inputs. */
static void follow_rate(const making *m, tl_stream_node *node) {
    const tl_streaming *streaming = &node->streaming;
    const double row = (double)node->rate.steps / (double)node->rate.outputs; /* in steps of the stream */
    const double reach = ((double)streaming->extent - 1 - (double)streaming->left) * row;
    const double output = row * (double)streaming->stride / (double)streaming->outputs;
    node->early += reach + output * ((double)streaming->skip - (double)streaming->outputs + 1);
    node->late += reach + output * (double)streaming->skip;
    if (!scale_rate(&node->rate, streaming->outputs, streaming->stride)) fail_node(m, node, TL_ERROR_SHAPE, "its rate overflows");
}

static void plan_node(making *m, tl_stream_node *node) {
    join_inputs(m, node);
    const bool single = node->single;
    plan_window(m, node);
    if (tl_failed(m->error)) return;
    if (node->streaming.over_all) set_window(m, node, node->rate);
    if (single && (node->streaming.over_all || !pointwise(&node->streaming)))
        fail_node(m, node, TL_ERROR_ARGUMENT,
                  "needs several steps, but comes after a layer over all of time, which has a single step");
    follow_rate(m, node);
}

/* ---- nodes and lines ---- */

static size_t add_line(making *m, size_t writer, size_t channels, size_t readers) {
    const size_t line = m->plan->lines++;
    m->plan->line[line] = (tl_stream_line){.channels = channels, .writer = writer};
    m->line_readers[line] = readers;
    return line;
}

/* Places the outputs of a node: over its input, if no other node reads that. */
static void place_node(making *m, tl_stream_node *node, size_t id) {
    const tl_stream_node *before = &m->plan->node[node->input[0]];
    const tl_layer_ops *ops = node->layer->ops;
    const size_t readers = m->readers[node->vertex];
    const bool over = ops->stepwise && ops->in_place && node->inputs == 1 && m->line_readers[before->line] == 1 &&
                      node->channels == before->channels;
    node->shares = over || node->streaming.identity;
    node->line = node->shares ? before->line : add_line(m, id, node->channels, readers);
    if (node->shares) m->line_readers[node->line] += readers - 1;
    const tl_streaming *streaming = &node->streaming;
    node->plain = node->inputs == 1 && streaming->left + 1 == streaming->extent && streaming->stride == 1 &&
                  streaming->outputs == 1 && streaming->skip == 0;
    node->first_line = before->line;
    node->in_channels = node->layer->in[0].channels;
    if (ops->stream && !streaming->identity) node->run = ops->stream->run;
}

/* Returns whether the layer before does the work of this one. */
static bool taken_over(making *m, const tl_vertex *vertex) {
    if (vertex->absorbed) return true;
    if (vertex->layer->inputs != 1 || m->readers[vertex->input[0]] != 1) return false;
    tl_stream_node *before = &m->plan->node[m->node_of[vertex->input[0]]];
    const tl_stream_ops *stream = before->layer ? before->layer->ops->stream : NULL;
    if (before->streaming.relu || !stream || !stream->absorb || !stream->absorb(before->layer, vertex->layer)) return false;
    return before->streaming.relu = true;
}

static void add_node(making *m, size_t id) {
    const tl_vertex *vertex = &m->model->vertex[id];
    if (vertex->layer->inputs > 0 && taken_over(m, vertex)) {
        m->node_of[id] = m->node_of[vertex->input[0]];
        m->line_readers[m->plan->node[m->node_of[id]].line] += m->readers[id] - 1;
        return;
    }
    const size_t at = m->plan->nodes++;
    tl_stream_node *node = &m->plan->node[at];
    *node =
        (tl_stream_node){.vertex = id, .inputs = vertex->layer->inputs, .channels = vertex->layer->out.channels, .rate = {1, 1}};
    m->node_of[id] = (int)at;
    if (node->inputs == 0) {
        node->streaming = (tl_streaming){.extent = 1, .stride = 1, .outputs = 1};
        node->line = add_line(m, at, node->channels, m->readers[id]);
        return;
    }
    node->layer = vertex->layer;
    for (size_t e = 0; e < node->inputs; e++) {
        node->input[e] = (size_t)m->node_of[vertex->input[e]];
        node->input_line[e] = m->plan->node[node->input[e]].line;
    }
    plan_node(m, node);
    if (!tl_failed(m->error)) place_node(m, node, at);
}

static void add_nodes(making *m) {
    const tl_model *model = m->model;
    for (size_t i = 0; i < model->vertices; i++)
        for (size_t e = 0; model->vertex[i].live && e < model->vertex[i].layer->inputs; e++)
            m->readers[model->vertex[i].input[e]]++;
    for (size_t i = 0; i < model->vertices; i++) {
        m->node_of[i] = NONE;
        if (model->vertex[i].live && !tl_failed(m->error)) add_node(m, i);
    }
    if (!m->over_all && (m->cfg->window || m->cfg->hop))
        tl_fail(m->error, TL_ERROR_ARGUMENT,
                "stream: window %zu and hop %zu are only for layers over all of time (global_average_pool, global_max_pool, "
                "last_step), but the network has none of them",
                m->cfg->window, m->cfg->hop);
}

/* ---- sizes of lines ---- */

/* Returns the maximum number of steps after the end that the windows of a series may have. */
static size_t rows_behind(const tl_stream_node *node) {
    const tl_streaming *streaming = &node->streaming;
    const tl_layer *layer = node->layer;
    size_t maximum = 0;
    if (streaming->over_all || !layer->ops->out_length) return 0;
    for (size_t n = streaming->extent + streaming->stride; n < streaming->extent + 2 * streaming->stride; n++) {
        const size_t windows = (layer->ops->out_length(layer, n) + streaming->skip + streaming->outputs - 1) / streaming->outputs;
        const size_t needed = windows ? (windows - 1) * streaming->stride + streaming->extent : 0;
        if (needed > n + streaming->left && needed - n - streaming->left > maximum) maximum = needed - n - streaming->left;
    }
    return maximum;
}

/* Returns the number of rows by which an input may be ahead of the slowest one. */
static size_t rows_ahead(const tl_stream_plan *plan, const tl_stream_node *node, size_t e) {
    const tl_stream_node *own = &plan->node[node->input[e]];
    double latest = own->late;
    for (size_t i = 0; i < node->inputs; i++) latest = fmax(latest, plan->node[node->input[i]].late);
    if (node->inputs == 1) return 0;
    return (size_t)ceil((latest - own->early) * (double)own->rate.outputs / (double)own->rate.steps) + 2;
}

/* Returns the number of windows that a push of a block may complete. */
static size_t windows_at_a_time(const tl_stream_plan *plan, const tl_stream_node *node) {
    const tl_streaming *streaming = &node->streaming;
    const size_t stride = tl_max(streaming->stride, 1);
    size_t rows = 0;
    for (size_t e = 0; e < node->inputs; e++) {
        const tl_stream_node *before = &plan->node[node->input[e]];
        if (before->maximum * before->streaming.outputs > rows) rows = before->maximum * before->streaming.outputs;
    }
    return rows / stride + 1 + (streaming->left >= streaming->extent ? (streaming->left - streaming->extent) / stride + 1 : 0);
}

/* Sizes cannot overflow, since memory would be short long before. */
static void size_lines(tl_stream_plan *plan) {
    size_t behind = 0;
    for (size_t i = 0; i < plan->nodes; i++) {
        tl_stream_node *node = &plan->node[i];
        node->maximum = i == 0 ? plan->block : windows_at_a_time(plan, node);
        plan->line[node->line].before = tl_max(plan->line[node->line].before, node->streaming.skip);
        for (size_t e = 0; e < node->inputs; e++) {
            tl_stream_line *line = &plan->line[plan->node[node->input[e]].line];
            line->before = tl_max(line->before, node->streaming.left);
            line->kept = tl_max(line->kept, node->streaming.extent - 1 + rows_ahead(plan, node, e));
            behind = tl_max(behind, rows_behind(node));
        }
    }
    for (size_t i = 0; i < plan->lines; i++) {
        tl_stream_line *line = &plan->line[i];
        const tl_stream_node *writer = &plan->node[line->writer];
        line->kept = tl_max(line->kept, line->before);
        line->capacity = line->kept + writer->maximum * writer->streaming.outputs + writer->streaming.skip + behind;
        if (line->kept) line->capacity += tl_max(line->kept, SLACK_ROWS);
        line->at = plan->memory_count;
        plan->memory_count += tl_aligned_count(line->capacity * line->channels);
    }
}

/* ---- parameters ---- */

static size_t copied_count(const tl_declared *declared, size_t arrays) {
    size_t count = 0;
    for (size_t i = 0; i < arrays; i++) count += tl_aligned_count(tl_declared_count(&declared[i]));
    return count;
}

/* A layer that runs with its own `forward`, on single steps. */
static void copy_layer(making *m, tl_stream_node *node) {
    const tl_layer *layer = node->layer;
    tl_error error = {0};
    node->step = malloc(layer->ops->size);
    if (!node->step) {
        tl_fail(m->error, TL_ERROR_MEMORY, "stream: out of memory");
        return;
    }
    memcpy(node->step, layer, layer->ops->size);
    for (size_t e = 0; e < layer->inputs; e++) node->step->in[e].length = 1;
    node->step->out = node->step->in[0];
    node->step->batch = tl_max(m->plan->block, node->maximum);
    node->step->threads = 1;
    node->step->parameters = node->step->states = node->step->saved = 0;
    layer->ops->setup(node->step, &error);
    if (tl_failed(&error)) fail_node(m, node, error.status, error.text);
    const size_t scratch = layer->ops->scratch ? layer->ops->scratch(node->step, node->step->batch, 1) : 0;
    const size_t own = tl_aligned_count(node->step->saved) + tl_aligned_count(scratch);
    m->plan->scratch_count = tl_max(m->plan->scratch_count, own);
    m->plan->packed_count += copied_count(layer->parameter, layer->parameters) + copied_count(layer->state, layer->states);
}

static void size_nodes(making *m) {
    tl_stream_plan *plan = m->plan;
    for (size_t i = 1; i < plan->nodes && !tl_failed(m->error); i++) {
        tl_stream_node *node = &plan->node[i];
        node->packed = plan->packed_count;
        node->state = plan->memory_count;
        node->partial = node->state + tl_aligned_count(node->streaming.state);
        plan->packed_count += tl_aligned_count(node->streaming.packed);
        plan->memory_count = node->partial + tl_aligned_count(node->streaming.partial);
        if (!node->streaming.identity && !node->run) copy_layer(m, node);
    }
}

/* Copies the arrays of such a layer. */
static tl_real *copy_arrays(const tl_declared *declared, size_t arrays, tl_real *const *from, tl_real *to, tl_real **copies) {
    for (size_t i = 0; i < arrays; i++) {
        const size_t count = tl_declared_count(&declared[i]);
        memcpy(to, from[i], count * sizeof *to);
        copies[i] = to;
        to += tl_aligned_count(count);
    }
    return to;
}

static void pack_parameters(making *m) {
    tl_stream_plan *plan = m->plan;
    plan->packed = tl_allocate(plan->packed_count, sizeof(tl_real), "stream: parameters", m->error);
    for (size_t i = 1; plan->packed && i < plan->nodes; i++) {
        tl_stream_node *node = &plan->node[i];
        const tl_layer *layer = node->layer;
        const tl_stream_ops *stream = layer->ops->stream;
        const tl_vertex *vertex = &m->model->vertex[node->vertex];
        tl_real *to = plan->packed + node->packed;
        if (node->step) {
            to = copy_arrays(layer->parameter, layer->parameters, vertex->parameter, to, node->parameter);
            copy_arrays(layer->state, layer->states, vertex->state, to, node->states);
        } else if (stream && stream->pack)
            stream->pack(layer, &plan->workers, vertex->parameter, vertex->state, to);
    }
}

/* ---- memory ---- */

/* Checks the memory before any of it is allocated. It is computed in double, since sizes may overflow. */
static void check_memory(const making *m) {
    const tl_stream_plan *plan = m->plan;
    double count = (double)plan->packed_count + (double)plan->scratch_count;
    for (size_t i = 0; i < plan->lines; i++) count += (double)plan->line[i].capacity * (double)plan->line[i].channels;
    for (size_t i = 0; i < plan->nodes; i++)
        count += (double)plan->node[i].streaming.state + (double)plan->node[i].streaming.partial;
    const double bytes = count * sizeof(tl_real), maximum = (double)m->cfg->max_memory;
    if (maximum > 0 && bytes > maximum)
        tl_fail(m->error, TL_ERROR_MEMORY, "stream: needs %.4g MB; the limit is %.4g MB (max_memory, --max-memory)", bytes / 1e6,
                maximum / 1e6);
}

/* ---- delay and receptive field ---- */

static int64_t divide_down(int64_t a, int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

/* Computes the step of the input that brings output `t`, and the first step that it depends on: each node tells its inputs the last
 * and the first of their rows that it needs. *first is INT64_MIN if it depends on all earlier steps. */
static void needed_steps(const tl_stream_plan *plan, int64_t t, int64_t *first, int64_t *last, int64_t *rows) {
    int64_t *low = rows, *high = rows + plan->nodes;
    for (size_t i = 0; i < plan->nodes; i++) low[i] = INT64_MAX, high[i] = INT64_MIN;
    low[plan->nodes - 1] = high[plan->nodes - 1] = t;
    for (size_t i = plan->nodes; i-- > 1;) {
        const tl_streaming *streaming = &plan->node[i].streaming;
        const int64_t stride = (int64_t)streaming->stride, left = (int64_t)streaming->left, skip = (int64_t)streaming->skip,
                      ups = (int64_t)streaming->outputs;
        const bool all = streaming->running || low[i] == INT64_MIN;
        const int64_t from = all ? INT64_MIN : divide_down(low[i] + skip, ups) * stride - left;
        const int64_t to = divide_down(high[i] + skip, ups) * stride - left + (int64_t)streaming->extent - 1;
        for (size_t e = 0; e < plan->node[i].inputs; e++) {
            const size_t before = plan->node[i].input[e];
            if (from < low[before]) low[before] = from;
            if (to > high[before]) high[before] = to;
        }
    }
    *first = low[0];
    *last = high[0];
}

/* The same as `last`, but for a stream, whose steps begin with 0: an output of padding alone comes with the first step. */
static size_t delay_of(const tl_stream_plan *plan, int64_t *rows) {
    int64_t *high = rows;
    for (size_t i = 0; i < plan->nodes; i++) high[i] = 0;
    for (size_t i = plan->nodes; i-- > 1;) {
        const tl_streaming *streaming = &plan->node[i].streaming;
        const uint64_t window = ((uint64_t)high[i] + streaming->skip) / tl_max(streaming->outputs, 1),
                       reach = window * streaming->stride + streaming->extent - 1;
        const int64_t to = reach > streaming->left ? (int64_t)(reach - streaming->left) : 0;
        for (size_t e = 0; e < plan->node[i].inputs; e++) {
            const size_t before = plan->node[i].input[e];
            if (to > high[before]) high[before] = to;
        }
    }
    return (size_t)high[0];
}

/* With several rates, outputs may depend on different numbers of steps: finds their maximum, over at most a few periods of the
 * rates. */
static void find_reach(making *m) {
    tl_stream_plan *plan = m->plan;
    int64_t *rows = calloc(2 * plan->nodes, sizeof *rows);
    const size_t turn = plan->node[plan->nodes - 1].rate.outputs, maximum = turn < 256 ? turn : 256;
    if (!rows) {
        tl_fail(m->error, TL_ERROR_MEMORY, "stream: out of memory");
        return;
    }
    for (size_t t = 0; t < maximum; t++) {
        int64_t first, last;
        needed_steps(plan, (int64_t)t, &first, &last, rows);
        if (first == INT64_MIN) break;
        plan->receptive_field = tl_max(plan->receptive_field, (size_t)(last - first) + 1);
    }
    plan->delay = delay_of(plan, rows);
    free(rows);
}

/* ---- plan ---- */

static tl_status check_cfg(const tl_stream_cfg *cfg, tl_error *error) {
    const size_t maximum = PTRDIFF_MAX / 64;
    if (cfg->block > max_block) return tl_fail(error, TL_ERROR_ARGUMENT, "stream: block %zu exceeds %zu", cfg->block, max_block);
    if (cfg->window > maximum) return tl_fail(error, TL_ERROR_ARGUMENT, "stream: window %zu exceeds %zu", cfg->window, maximum);
    if (cfg->hop > maximum) return tl_fail(error, TL_ERROR_ARGUMENT, "stream: hop %zu exceeds %zu", cfg->hop, maximum);
    return TL_OK;
}

static void make(making *m) {
    const size_t vertices = m->model->vertices;
    m->readers = calloc(vertices, sizeof *m->readers);
    m->node_of = calloc(vertices, sizeof *m->node_of);
    m->line_readers = calloc(vertices, sizeof *m->line_readers);
    m->plan->node = calloc(vertices, sizeof *m->plan->node);
    m->plan->line = calloc(vertices, sizeof *m->plan->line);
    if (!m->readers || !m->node_of || !m->line_readers || !m->plan->node || !m->plan->line)
        tl_fail(m->error, TL_ERROR_MEMORY, "stream: out of memory");
    if (!tl_failed(m->error)) add_nodes(m);
    if (!tl_failed(m->error)) size_lines(m->plan);
    if (!tl_failed(m->error)) size_nodes(m);
    if (!tl_failed(m->error) && !m->model->plan_only) check_memory(m);
    m->plan->plain = true;
    for (size_t i = 1; i < m->plan->nodes; i++) m->plan->plain = m->plan->plain && m->plan->node[i].plain;
    if (!tl_failed(m->error)) find_reach(m);
    if (!tl_failed(m->error) && !m->model->plan_only) pack_parameters(m);
    free(m->readers);
    free(m->node_of);
    free(m->line_readers);
}

tl_stream_plan *tl_stream_plan_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error) {
    if (check_cfg(cfg, error) != TL_OK) return NULL;
    tl_stream_plan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        tl_fail(error, TL_ERROR_MEMORY, "stream: out of memory");
        return NULL;
    }
    atomic_init(&plan->streams, 1);
    plan->workers = model->workers;
    plan->workers.count = 1;
    plan->block = cfg->block ? cfg->block : default_block;
    making m = {.model = model, .cfg = cfg, .plan = plan, .error = error};
    make(&m);
    if (!tl_failed(error)) return plan;
    tl_stream_plan_free(plan);
    return NULL;
}

void tl_stream_plan_free(tl_stream_plan *plan) {
    if (atomic_fetch_sub(&plan->streams, 1) > 1) return;
    for (size_t i = 0; plan->node && i < plan->nodes; i++) {
        tl_layer *step = plan->node[i].step;
        if (step && step->ops->free) step->ops->free(step);
        free(step);
    }
    tl_release(plan->packed);
    free(plan->node);
    free(plan->line);
    free(plan);
}
