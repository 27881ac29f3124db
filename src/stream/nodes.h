/* nodes.h: what a stream is made of. Planned by plan.c, made by stream.c, run by push.c, saved by state.c.
 *
 * Each layer is a node, whose outputs are rows of a line: the newest steps in one run of memory, those before them as far as a
 * reader still needs them. What a reader sees is then a window in place, and branches of different delays meet by the numbers of
 * their steps. A line has room for twice what it keeps, so that its rows move to the front seldom: a copy a step on average.
 */
#ifndef TL_STREAM_NODES_H
#define TL_STREAM_NODES_H

#include <tapline/stream.h>

#include "graph/graph.h"

#include <stdatomic.h>

typedef struct tl_stream_node {
    const tl_layer *layer;                                          /* NULL: the input */
    void (*run)(const tl_layer *layer, const tl_stream_pass *pass); /* NULL: an identity, or by `step` */
    tl_layer *step; /* of stepwise layers without a run of their own: a copy, set up for series of one step; else NULL */
    size_t line, inputs, in_channels, channels; /* in_channels: of the first input */
    bool shares;                                /* the line of its input: works in place, or not at all */
    bool plain;  /* one output for each step of its one input, at once, from that step and those before it */
    bool single; /* comes after a layer over all of time */
    tl_streaming how;
    size_t input[TL_MAX_INPUTS];      /* nodes */
    size_t input_line[TL_MAX_INPUTS]; /* and their lines */
    size_t vertex;                    /* of the model */
    tl_stream_rate rate;
    double early, late; /* output t comes with a step of the input between early + t·steps/outputs and late + t·steps/outputs */
    size_t maximum;     /* windows at a time */
    size_t packed, state, ahead;                                       /* where its elements begin */
    tl_real *parameter[TL_MAX_PARAMETERS], *states[TL_MAX_PARAMETERS]; /* of `step` */
} tl_stream_node;

typedef struct tl_stream_line {
    size_t channels;
    size_t before; /* rows of zeros before step 0 */
    size_t kept;   /* rows that readers need of the past, at most */
    size_t capacity;
    size_t at; /* where its elements begin */
    size_t writer;
} tl_stream_line;

/* What streams of the same parameters share. */
typedef struct tl_stream_plan {
    atomic_size_t streams;
    tl_workers workers;
    size_t block;
    size_t nodes, lines;
    bool plain; /* all nodes are: each step gives an output */
    tl_stream_node *node;
    tl_stream_line *line;
    size_t packed_count, memory_count, saved_count,
        scratch_count; /* elements: parameters; lines, state and ahead; of `step` layers */
    tl_real *packed;
    size_t delay, receptive_field;
} tl_stream_plan;

/* Where a node stands. */
typedef struct tl_stream_place {
    uint64_t end, windows;           /* outputs and windows so far */
    uint64_t end_next, windows_next; /* after the push under way */
    uint64_t ahead_until;
    bool closed; /* no output will follow */
} tl_stream_place;

/* What a line holds. */
typedef struct tl_stream_rows {
    int64_t first, limit; /* steps: the first one, and the first one that there is no room for */
    int64_t origin;       /* where step 0 begins, or would begin, in the stream's memory */
} tl_stream_rows;

struct tl_stream {
    tl_stream_plan *plan;
    tl_stream_place *place; /* (nodes) */
    tl_stream_rows *rows;   /* (lines) */
    tl_stream_pass *pass;   /* (nodes) what their calls have in common is set once */
    tl_real *memory;        /* lines, state, ahead, then what `step` layers need */
    bool ended;
    tl_error error;
};

/* Lets the line begin with step `first`. */
void tl_stream_line_begin(tl_stream *stream, size_t line, int64_t first);

/* Finds nodes and lines of a model and what they need, or fails naming the layer. Free with tl_stream_plan_free. */
tl_stream_plan *tl_stream_plan_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error);
void tl_stream_plan_free(tl_stream_plan *plan);

/* Windows of which all steps are among the first `steps` of the series. */
static inline uint64_t tl_stream_windows(const tl_streaming *how, uint64_t steps) {
    const uint64_t reach = steps + how->left;
    if (reach < how->extent) return 0;
    return how->stride == 1 ? reach - how->extent + 1 : (reach - how->extent) / how->stride + 1;
}

/* Outputs of so many windows. */
static inline uint64_t tl_stream_outputs(const tl_streaming *how, uint64_t windows) {
    const uint64_t rows = windows * how->ups;
    return rows > how->skip ? rows - how->skip : 0;
}

#endif
