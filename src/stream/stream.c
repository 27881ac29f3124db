/* Creates streams and returns their properties. */
#include "stream/nodes.h"

#include "base/argument.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const tl_error no_stream = {.status = TL_ERROR_STATE, .text = "the stream is NULL: tl_stream_new failed"};

static void bind_passes(tl_stream *stream) {
    const tl_stream_plan *plan = stream->plan;
    for (size_t i = 1; i < plan->nodes; i++) {
        const tl_stream_node *node = &plan->node[i];
        stream->pass[i] = (tl_stream_pass){.streaming = &node->streaming,
                                           .packed = plan->packed + node->packed,
                                           .state = stream->memory + node->state,
                                           .partial = stream->memory + node->partial,
                                           .partial_until = &stream->place[i].partial_until,
                                           .workers = &plan->workers};
    }
}

/* For a model that was compiled with plan_only. */
static tl_stream *without_memory(tl_stream *stream, tl_error *error) {
    if (stream->place && stream->rows && stream->pass) {
        tl_fail(&stream->error, TL_ERROR_STATE,
                "the stream is of a model compiled with plan_only: it has no memory and cannot be run");
        return stream;
    }
    tl_fail(error, TL_ERROR_MEMORY, "stream: out of memory");
    tl_stream_free(stream);
    return NULL;
}

static tl_stream *stream_of(tl_stream_plan *plan, tl_error *error) {
    tl_stream *stream = calloc(1, sizeof *stream);
    if (stream) {
        stream->plan = plan;
        stream->place = calloc(plan->nodes, sizeof *stream->place);
        stream->rows = calloc(plan->lines, sizeof *stream->rows);
        stream->pass = calloc(plan->nodes, sizeof *stream->pass);
        if (!plan->packed) return without_memory(stream, error);
        stream->memory = tl_allocate(plan->memory_count + plan->scratch_count, sizeof(tl_real), "stream", error);
    }
    if (stream && stream->place && stream->rows && stream->pass && stream->memory) {
        bind_passes(stream);
        tl_stream_reset(stream);
        return stream;
    }
    tl_fail(error, TL_ERROR_MEMORY, "stream: out of memory");
    if (stream)
        tl_stream_free(stream);
    else
        tl_stream_plan_free(plan);
    return NULL;
}

tl_stream *tl_stream_new_sized(const tl_model *model, const tl_stream_cfg *given, size_t size, tl_error *error) {
    tl_stream_cfg cfg;
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || (!(model && model->plan_only) && tl_report(model, error) != TL_OK)) return NULL;
    if (!model->compiled) {
        tl_fail(error, TL_ERROR_STATE, "stream: the model is not compiled");
        return NULL;
    }
    tl_take(&cfg, sizeof cfg, given, size, "stream", error);
    tl_stream_plan *plan = tl_failed(error) ? NULL : tl_stream_plan_new(model, &cfg, error);
    return plan ? stream_of(plan, error) : NULL;
}

tl_stream *tl_stream_copy(const tl_stream *stream, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error)) return NULL;
    if (!stream) {
        tl_fail(error, no_stream.status, "%s", no_stream.text);
        return NULL;
    }
    tl_stream_plan *plan = stream->plan;
    atomic_fetch_add(&plan->streams, 1);
    tl_stream *copy = stream_of(plan, error);
    if (!copy) return NULL;
    memcpy(copy->place, stream->place, plan->nodes * sizeof *copy->place);
    memcpy(copy->rows, stream->rows, plan->lines * sizeof *copy->rows);
    if (copy->memory) memcpy(copy->memory, stream->memory, plan->memory_count * sizeof *copy->memory);
    copy->error = stream->error;
    copy->ended = stream->ended;
    return copy;
}

void tl_stream_free(tl_stream *stream) {
    if (!stream) return;
    tl_stream_plan_free(stream->plan);
    tl_release(stream->memory);
    free(stream->rows);
    free(stream->pass);
    free(stream->place);
    free(stream);
}

void tl_stream_line_begin(tl_stream *stream, size_t line, int64_t first) {
    const tl_stream_line *own = &stream->plan->line[line];
    stream->rows[line] = (tl_stream_rows){
        .first = first, .limit = first + (int64_t)own->capacity, .origin = (int64_t)own->at - first * (int64_t)own->channels};
}

void tl_stream_reset(tl_stream *stream) {
    if (!stream || !stream->memory) return;
    const tl_stream_plan *plan = stream->plan;
    memset(stream->place, 0, plan->nodes * sizeof *stream->place);
    memset(stream->memory, 0, plan->memory_count * sizeof *stream->memory);
    for (size_t i = 0; i < plan->lines; i++) tl_stream_line_begin(stream, i, -(int64_t)plan->line[i].before);
    stream->error = (tl_error){0};
    stream->ended = false;
}

const tl_error *tl_stream_error(const tl_stream *stream) { return stream ? &stream->error : &no_stream; }

size_t tl_stream_delay(const tl_stream *stream) { return stream ? stream->plan->delay : 0; }

size_t tl_stream_receptive_field(const tl_stream *stream) { return stream ? stream->plan->receptive_field : 0; }

tl_stream_rate tl_stream_rate_of(const tl_stream *stream) {
    return stream ? stream->plan->node[stream->plan->nodes - 1].rate : (tl_stream_rate){0};
}

size_t tl_stream_memory(const tl_stream *stream) {
    if (!stream) return 0;
    const tl_stream_plan *plan = stream->plan;
    const size_t reals = plan->memory_count + plan->scratch_count + plan->packed_count;
    size_t bytes = sizeof *stream + sizeof *plan + reals * sizeof(tl_real);
    bytes += plan->nodes * (sizeof *plan->node + sizeof *stream->place + sizeof *stream->pass) +
             plan->lines * (sizeof *plan->line + sizeof *stream->rows);
    return bytes;
}
