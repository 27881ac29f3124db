/* Pushes steps through a stream. First it counts how far each node will get; only this may fail. Then the nodes run one after the
 * other, each on its new rows.
 */
#include "stream/nodes.h"

#include "base/memory.h"

#include <string.h>

/* ---- counting ---- */

/* Returns the number of rows that all inputs of a node have, or will have. */
static inline uint64_t rows_for(const tl_stream_node *node, const tl_stream_place *place) {
    uint64_t rows = place[node->input[0]].end_next;
    for (size_t e = 1; e < node->inputs; e++)
        if (place[node->input[e]].end_next < rows) rows = place[node->input[e]].end_next;
    return rows;
}

/* Computes the progress of every node once the input has `steps` steps. Returns the number of outputs of the stream by then. */
static uint64_t count_ahead(const tl_stream *stream, uint64_t steps) {
    const tl_stream_plan *plan = stream->plan;
    tl_stream_place *place = stream->place;
    place[0].windows_next = place[0].end_next = steps;
    if (plan->plain) {
        for (size_t i = 1; i < plan->nodes; i++) place[i].windows_next = place[i].end_next = steps;
        return steps;
    }
    for (size_t i = 1; i < plan->nodes; i++) {
        const tl_stream_node *node = &plan->node[i];
        if (node->plain) {
            place[i].windows_next = place[i].end_next = place[node->input[0]].end_next;
            continue;
        }
        place[i].windows_next = tl_stream_windows(&node->streaming, rows_for(node, place));
        place[i].end_next = tl_stream_outputs(&node->streaming, place[i].windows_next);
    }
    return place[plan->nodes - 1].end_next;
}

/* Returns the number of outputs of a node for a series of so many rows. */
static uint64_t whole_outputs(const tl_stream_node *node, uint64_t rows) {
    const tl_layer *layer = node->layer;
    if (node->streaming.over_all) return tl_stream_outputs(&node->streaming, tl_stream_windows(&node->streaming, rows));
    if (rows == 0 || !layer->ops->out_length || node->streaming.identity) return rows;
    return layer->ops->out_length(layer, (size_t)rows);
}

/* The same for the end of the series. */
static uint64_t count_whole(const tl_stream *stream) {
    const tl_stream_plan *plan = stream->plan;
    tl_stream_place *place = stream->place;
    place[0].end_next = place[0].end;
    for (size_t i = 1; i < plan->nodes; i++) place[i].end_next = whole_outputs(&plan->node[i], rows_for(&plan->node[i], place));
    return place[plan->nodes - 1].end_next;
}

static uint64_t outputs_of(const tl_stream *stream) { return stream->place[stream->plan->nodes - 1].end; }

size_t tl_stream_ready(const tl_stream *stream, size_t steps) {
    if (!stream || stream->ended) return 0;
    return (size_t)(count_ahead(stream, stream->place[0].end + steps) - outputs_of(stream));
}

size_t tl_stream_rest(const tl_stream *stream) {
    return !stream || stream->ended ? 0 : (size_t)(count_whole(stream) - outputs_of(stream));
}

/* ---- lines ---- */

/* Returns the first row that a reader still needs. */
static int64_t first_needed(const tl_stream *stream, size_t line) {
    const tl_stream_plan *plan = stream->plan;
    int64_t first = (int64_t)stream->place[plan->line[line].writer].end;
    for (size_t i = 1; i < plan->nodes; i++) {
        const tl_stream_node *node = &plan->node[i];
        for (size_t e = 0; e < node->inputs; e++) {
            if (node->input_line[e] != line || node->line == line) continue;
            const int64_t next = (int64_t)(stream->place[i].windows * node->streaming.stride) - (int64_t)node->streaming.left;
            if (next < first) first = next;
        }
    }
    return first;
}

/* Returns the address of step `step` of a line. */
static inline tl_real *row_at(const tl_stream *stream, size_t line, size_t channels, int64_t step) {
    return stream->memory + (stream->rows[line].origin + step * (int64_t)channels);
}

/* Moves the needed rows to the front. Not inlined, since it is rare. */
static __attribute__((noinline)) void move_to_front(tl_stream *stream, size_t index) {
    const tl_stream_line *line = &stream->plan->line[index];
    const int64_t first = first_needed(stream, index), end = (int64_t)stream->place[line->writer].end;
    const int64_t from = first > stream->rows[index].first ? first : stream->rows[index].first;
    memmove(stream->memory + line->at, row_at(stream, index, line->channels, from),
            (size_t)(end - from) * line->channels * sizeof *stream->memory);
    tl_stream_line_begin(stream, index, from);
}

/* Makes room for rows up to `end` - 1. */
static inline void make_room(tl_stream *stream, size_t index, int64_t end) {
    if (end > stream->rows[index].limit) move_to_front(stream, index);
}

/* ---- running ---- */

/* Makes a tensor (steps, 1, channels) in place. To copy a struct whose members were just written would take longer: its vector
 * loads wait until the members have left the store buffer. */
static inline void set_steps(tl_tensor *tensor, const tl_real *data, size_t steps, size_t channels) {
    tensor->data = tl_read_only(data);
    tensor->rank = 3;
    tensor->shape[0] = steps;
    tensor->shape[1] = 1;
    tensor->shape[2] = channels;
}

/* A layer that runs with its own `forward`, on single steps. */
static void run_stride(const tl_stream *stream, const tl_stream_node *node, const tl_stream_pass *call) {
    const tl_layer *layer = node->step;
    tl_real *rest = stream->memory + stream->plan->memory_count;
    tl_tensor inputs[TL_MAX_INPUTS];
    for (size_t e = 0; e < node->inputs; e++) set_steps(&inputs[e], call->x[e], call->windows, layer->in[e].channels);
    tl_pass pass = {.batch = call->windows,
                    .x = inputs,
                    .parameter = node->parameter,
                    .state = node->states,
                    .saved = rest,
                    .scratch = rest + tl_aligned_count(layer->saved),
                    .workers = call->workers};
    set_steps(&pass.y, call->y, call->windows, layer->out.channels);
    layer->ops->forward(layer, &pass);
}

/* Sets the rows before the beginning to 0 again. */
static void clear_before(const tl_stream *stream, const tl_stream_node *node, int64_t first) {
    memset(row_at(stream, node->line, node->channels, first), 0, (size_t)-first * node->channels * sizeof(tl_real));
}

static inline void call_node(const tl_stream *stream, const tl_stream_node *node, const tl_stream_pass *pass) {
    if (node->run)
        node->run(node->layer, pass);
    else if (node->step)
        run_stride(stream, node, pass);
}

/* The most frequent case: as many outputs as there are new steps of the only input. The node has `end` outputs so far. */
static inline __attribute__((always_inline)) void run_plain(tl_stream *stream, size_t i, uint64_t end, size_t steps) {
    const tl_stream_node *node = &stream->plan->node[i];
    tl_stream_pass *pass = &stream->pass[i];
    tl_stream_place *place = &stream->place[i];
    const int64_t to = (int64_t)end, from = to - (int64_t)node->streaming.left;
    if (!node->shares) make_room(stream, node->line, to + (int64_t)steps);
    pass->windows = steps;
    pass->first = end;
    pass->before = from < 0 ? (size_t)-from : 0;
    pass->steps = steps + node->streaming.left;
    pass->x[0] = row_at(stream, node->first_line, node->in_channels, from);
    pass->y = row_at(stream, node->line, node->channels, to);
    place->windows = place->end = end + steps;
    call_node(stream, node, pass);
}

static void run_windows(tl_stream *stream, const tl_stream_node *node, tl_stream_place *place, tl_stream_pass *pass) {
    const tl_streaming *streaming = &node->streaming;
    const uint64_t first = place->windows;
    const int64_t from = (int64_t)(first * streaming->stride) - (int64_t)streaming->left,
                  to = (int64_t)(first * streaming->outputs) - (int64_t)streaming->skip;
    if (!node->shares)
        make_room(stream, node->line, (int64_t)(place->windows_next * streaming->outputs) - (int64_t)streaming->skip);
    pass->windows = (size_t)(place->windows_next - first);
    pass->first = first;
    pass->before = from < 0 ? (size_t)-from : 0;
    pass->steps = (size_t)((int64_t)stream->place[node->input[0]].end - from);
    for (size_t e = 0; e < node->inputs; e++) pass->x[e] = row_at(stream, node->input_line[e], node->layer->in[e].channels, from);
    pass->y = row_at(stream, node->line, node->channels, to);
    call_node(stream, node, pass);
    if (to < 0) clear_before(stream, node, to);
}

/* Computes the windows of node `i` up to place.windows_next. */
static inline void run_node(tl_stream *stream, size_t i) {
    const tl_stream_node *node = &stream->plan->node[i];
    tl_stream_place *place = &stream->place[i];
    if (place->windows_next == place->windows) return;
    if (node->plain) {
        run_plain(stream, i, place->end, (size_t)(place->end_next - place->end));
        return;
    }
    run_windows(stream, node, place, &stream->pass[i]);
    place->windows = place->windows_next;
    place->end = place->end_next;
}

/* Copies the rows of the output from row `from` on. */
static void hand_out(const tl_stream *stream, uint64_t from, tl_real *y) {
    const tl_stream_node *output = &stream->plan->node[stream->plan->nodes - 1];
    const size_t count = (size_t)(outputs_of(stream) - from) * output->channels;
    if (count) memcpy(y, row_at(stream, output->line, output->channels, (int64_t)from), count * sizeof *y);
}

/* Runs at most a block of steps, after they were counted. */
static void run_block(tl_stream *stream, const tl_real *x, size_t steps, tl_real *y) {
    tl_stream_place *input = &stream->place[0];
    const tl_stream_node *node = &stream->plan->node[0];
    const uint64_t before = outputs_of(stream);
    make_room(stream, node->line, (int64_t)input->end_next);
    memcpy(row_at(stream, node->line, node->channels, (int64_t)input->end), x, steps * node->channels * sizeof *x);
    input->end = input->windows = input->end_next;
    for (size_t i = 1; i < stream->plan->nodes; i++) run_node(stream, i);
    hand_out(stream, before, y);
}

/* ---- pushing ---- */

/* `asks`: the function that returns the number of outputs. */
static bool has_room(tl_stream *stream, const char *caller, const char *asks, const tl_real *y, uint64_t outputs, size_t capacity) {
    if (outputs > capacity)
        tl_fail(&stream->error, TL_ERROR_ARGUMENT,
                "%s: y has room for %zu outputs, but there are %llu; %s returns their number beforehand", caller, capacity,
                (unsigned long long)outputs, asks);
    else if (outputs && !y)
        tl_fail(&stream->error, TL_ERROR_ARGUMENT, "%s: y is NULL, but there are %llu outputs", caller,
                (unsigned long long)outputs);
    return !tl_failed(&stream->error);
}

/* Returns whether the stream accepts steps. */
static bool goes_on(tl_stream *stream, const char *caller, const tl_real *x, size_t steps) {
    if (!stream || tl_failed(&stream->error)) return false;
    if (stream->ended)
        tl_fail(&stream->error, TL_ERROR_STATE, "%s: the series has ended; call tl_stream_reset to begin another one", caller);
    else if (steps && !x)
        tl_fail(&stream->error, TL_ERROR_ARGUMENT, "%s: x is NULL, but there are %zu steps", caller, steps);
    return !tl_failed(&stream->error);
}

/* Copies a row. A call of memcpy for a single element would take longer. */
static inline void copy_row(tl_real *to, const tl_real *from, size_t channels) {
    if (channels == 1)
        *to = *from;
    else
        memcpy(to, from, channels * sizeof *to);
}

/* Runs a single step if all nodes are plain: nothing needs to be counted. */
static __attribute__((noinline)) void run_step(tl_stream *stream, const tl_real *x, tl_real *y) {
    const tl_stream_plan *plan = stream->plan;
    const tl_stream_node *input = &plan->node[0], *output = &plan->node[plan->nodes - 1];
    const uint64_t end = stream->place[0].end;
    make_room(stream, input->line, (int64_t)end + 1);
    copy_row(row_at(stream, input->line, input->channels, (int64_t)end), x, input->channels);
    stream->place[0].end = stream->place[0].windows = end + 1;
    for (size_t i = 1; i < plan->nodes; i++) run_plain(stream, i, end, 1);
    copy_row(y, row_at(stream, output->line, output->channels, (int64_t)end), output->channels);
}

size_t tl_stream_push(tl_stream *stream, const tl_real *x, size_t steps, tl_real *y, size_t capacity) {
    if (!goes_on(stream, "stream push", x, steps) || steps == 0) return 0;
    const tl_stream_plan *plan = stream->plan;
    if (steps == 1 && plan->plain && y && capacity) {
        const unsigned denormals = tl_denormals_off();
        run_step(stream, x, y);
        tl_denormals_restore(denormals);
        return 1;
    }
    const uint64_t begin = stream->place[0].end, before = outputs_of(stream);
    const uint64_t outputs = count_ahead(stream, begin + steps) - before;
    if (!has_room(stream, "stream push", "tl_stream_ready", y, outputs, capacity)) return 0;
    const unsigned denormals = tl_denormals_off();
    for (size_t done = 0, count; done < steps; done += count) {
        count = steps - done < plan->block ? steps - done : plan->block;
        if (count < steps) count_ahead(stream, begin + done + count);
        tl_real *to = y ? y + (size_t)(outputs_of(stream) - before) * plan->node[plan->nodes - 1].channels : NULL;
        run_block(stream, x + done * plan->node[0].channels, count, to);
    }
    tl_denormals_restore(denormals);
    return (size_t)outputs;
}

/* ---- the end ---- */

/* Zeros after the end of an input, up to row `end` - 1. */
static void pad_behind(tl_stream *stream, const tl_stream_node *node, int64_t end) {
    const size_t line = node->input_line[0], channels = node->layer->in[0].channels;
    const int64_t last = (int64_t)stream->place[node->input[0]].end;
    if (end <= last) return;
    make_room(stream, line, end);
    memset(row_at(stream, line, channels, last), 0, (size_t)(end - last) * channels * sizeof(tl_real));
}

/* Runs a node at the end of the series, with at most as many windows as in a block, so that the lines have enough room. */
static void end_node(tl_stream *stream, size_t i) {
    const tl_stream_node *node = &stream->plan->node[i];
    const tl_streaming *streaming = &node->streaming;
    tl_stream_place *place = &stream->place[i];
    bool closed = true;
    uint64_t rows = UINT64_MAX;
    for (size_t e = 0; e < node->inputs; e++) {
        const tl_stream_place *before = &stream->place[node->input[e]];
        closed = closed && before->closed;
        if (before->end < rows) rows = before->end;
    }
    const uint64_t whole = whole_outputs(node, rows), all = (whole + streaming->skip + streaming->outputs - 1) / streaming->outputs;
    const uint64_t ready = closed ? (all > place->windows ? all : place->windows) : tl_stream_windows(streaming, rows);
    const uint64_t maximum = place->windows + node->maximum;
    place->windows_next = ready < maximum ? ready : maximum;
    place->end_next = tl_stream_outputs(streaming, place->windows_next);
    if (closed && place->end_next > whole) place->end_next = whole;
    if (closed && place->windows_next > place->windows)
        pad_behind(stream, node,
                   (int64_t)((place->windows_next - 1) * streaming->stride + streaming->extent) - (int64_t)streaming->left);
    run_node(stream, i);
    place->closed = closed && place->windows == ready;
}

size_t tl_stream_end(tl_stream *stream, tl_real *y, size_t capacity) {
    if (!goes_on(stream, "stream end", NULL, 0)) return 0;
    const tl_stream_plan *plan = stream->plan;
    const tl_stream_place *output = &stream->place[plan->nodes - 1];
    const uint64_t before = output->end, outputs = count_whole(stream) - before;
    if (!has_room(stream, "stream end", "tl_stream_rest", y, outputs, capacity)) return 0;
    const unsigned denormals = tl_denormals_off();
    stream->place[0].closed = true;
    while (!output->closed) {
        const uint64_t begin = output->end;
        for (size_t i = 1; i < plan->nodes; i++) end_node(stream, i);
        hand_out(stream, begin, y ? y + (size_t)(begin - before) * plan->node[plan->nodes - 1].channels : NULL);
    }
    tl_denormals_restore(denormals);
    stream->ended = true;
    return (size_t)outputs;
}
