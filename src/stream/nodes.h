/* nodes.h: the data structures of a stream. plan.c plans it, stream.c creates it, push.c runs it, state.c saves it.
 *
 * Each layer is a node. Its outputs are rows of a line: the newest rows, and earlier ones as far as a reader still needs them,
 * contiguous in memory. A reader's window is therefore in place, and branches with different delays are joined by the numbers of
 * their steps. A line has room for twice the rows that it keeps, so that rows are rarely moved to the front: on average one row is
 * copied for each step.
 */
#ifndef TL_STREAM_NODES_H
#define TL_STREAM_NODES_H

#include <tapline/stream.h>

#include "graph/graph.h"

#include <stdatomic.h>

typedef struct tl_stream_node {
    const tl_layer *layer;                                          /* NULL: the input */
    void (*run)(const tl_layer *layer, const tl_stream_pass *pass); /* NULL: an identity, or run by `step` */
    tl_layer *step; /* for stepwise layers without a `run` of their own: a copy that is set up for series of one step; else NULL */
    size_t line, inputs, channels;
    size_t first_line, in_channels; /* of the first input */
    bool shares;                    /* uses the line of its input: works in place, or does nothing */
    bool plain;  /* gives one output for each step of its single input immediately, from that step and earlier ones */
    bool single; /* comes after a layer over all of time */
    tl_streaming streaming;
    size_t input[TL_MAX_INPUTS];      /* nodes */
    size_t input_line[TL_MAX_INPUTS]; /* their lines */
    size_t vertex;                    /* index in the model */
    tl_stream_rate rate;
    double early, late; /* output t comes with a step of the input between early + t·steps/outputs and late + t·steps/outputs */
    size_t maximum;     /* maximum number of windows at a time */
    size_t packed, state, partial;                                     /* position of its elements */
    tl_real *parameter[TL_MAX_PARAMETERS], *states[TL_MAX_PARAMETERS]; /* for `step` */
} tl_stream_node;

typedef struct tl_stream_line {
    size_t channels;
    size_t before; /* rows of zeros before step 0 */
    size_t kept;   /* maximum number of past rows that readers need */
    size_t capacity;
    size_t at; /* position of its elements */
    size_t writer;
} tl_stream_line;

/* Shared by all streams with the same parameters. */
typedef struct tl_stream_plan {
    atomic_size_t streams;
    tl_workers workers;
    size_t block;
    size_t nodes, lines;
    bool plain; /* all nodes are plain: each step gives an output */
    tl_stream_node *node;
    tl_stream_line *line;
    size_t packed_count, memory_count, saved_count,
        scratch_count; /* numbers of elements: parameters; lines, state and partial results; for `step` layers */
    tl_real *packed;
    size_t delay, receptive_field;
} tl_stream_plan;

/* The progress of a node. */
typedef struct tl_stream_place {
    uint64_t end, windows;           /* outputs and windows so far */
    uint64_t end_next, windows_next; /* after the current push */
    uint64_t partial_until;
    bool closed; /* no more outputs will follow */
} tl_stream_place;

/* The rows that a line holds. */
typedef struct tl_stream_rows {
    int64_t first, limit; /* first step; first step without room */
    int64_t origin;       /* position of step 0 in the stream's memory, even if step 0 is no longer there */
} tl_stream_rows;

struct tl_stream {
    tl_stream_plan *plan;
    tl_stream_place *place; /* (nodes) */
    tl_stream_rows *rows;   /* (lines) */
    tl_stream_pass *pass;   /* (nodes) arguments that are the same in all calls are set once */
    tl_real *memory;        /* lines, state, partial results, then memory for `step` layers */
    bool ended;
    tl_error error;
};

/* Makes the line begin with step `first`. */
void tl_stream_line_begin(tl_stream *stream, size_t line, int64_t first);

/* Finds the nodes and lines of a model and their sizes. Fails if a layer does not work on a stream; the message names it. Free it
 * with tl_stream_plan_free. */
tl_stream_plan *tl_stream_plan_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error);
void tl_stream_plan_free(tl_stream_plan *plan);

/* Returns the number of windows that lie completely in the first `steps` steps of the series. */
static inline uint64_t tl_stream_windows(const tl_streaming *streaming, uint64_t steps) {
    const uint64_t reach = steps + streaming->left;
    if (reach < streaming->extent) return 0;
    return streaming->stride == 1 ? reach - streaming->extent + 1 : (reach - streaming->extent) / streaming->stride + 1;
}

/* Returns the number of outputs of so many windows. */
static inline uint64_t tl_stream_outputs(const tl_streaming *streaming, uint64_t windows) {
    const uint64_t rows = windows * streaming->outputs;
    return rows > streaming->skip ? rows - streaming->skip : 0;
}

#endif
