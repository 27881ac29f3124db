/* quantizing.h: how a trained model becomes a network in integers. quantize.c chooses scales and rounds weights; quantize_ranges.c
 * finds the ranges of the numbers; quantize_equalize.c and quantize_correct.c reduce the error.
 */
#ifndef TL_DEVICE_QUANTIZING_H
#define TL_DEVICE_QUANTIZING_H

#include "base/memory.h"
#include "device/quantized.h"

/* The outputs of all vertices of the model in floating point, for the calibration data. Each vertex has an entry for each of its
 * channels, from first[vertex] on. */
typedef struct tl_q_ranges {
    size_t *first, *channels; /* (vertices) */
    double *low, *high;       /* (count) the range of a channel, which contains 0 */
    size_t count;
} tl_q_ranges;

typedef struct tl_q_making {
    tl_quantized *self;
    tl_q_ranges ranges;
    size_t error_series; /* number of series that measure the error */
    double **gain;       /* (nodes) factors of the channels of its output (tl_q_equalize); NULL: all 1 */
    tl_error *error;
} tl_q_making;

static inline void *tl_q_new_array(const tl_q_making *m, size_t count, size_t size) {
    return tl_allocate(count, size, "quantize", m->error);
}

/* Called with the output of each vertex, y: (series, length, channels). */
typedef void (*tl_q_seen)(const tl_q_making *m, size_t vertex, const tl_tensor *y, void *user);

/* Runs the model in floating point on x: (series, length, channels), at most a batch. Outputs share memory: each output is valid
 * only during its call of `seen`. */
void tl_q_run_layers(const tl_q_making *m, const tl_tensor *x, tl_q_seen seen, void *user);

/* Finds the ranges. If percentile is below 100, the largest and the smallest (100 - percentile) / 2 % of the numbers of each
 * channel are outside of its range. */
void tl_q_find_ranges(tl_q_making *m, const tl_dataset *data, double percentile);
void tl_q_ranges_release(tl_q_ranges *ranges);

/* The vertex that computes the output of a node in the model: a batch norm that was folded into the node, or with `relu` the ReLU
 * that its step includes. */
size_t tl_q_last_vertex(const tl_q_making *m, size_t node, bool relu);

/* Multiplies channels of outputs by factors so that all channels of an array have the same range, and divides the weights of the
 * layers that read the array by the same factors. Only layers between which this changes no result are used. */
void tl_q_equalize(tl_q_making *m);

/* Changes each bias so that the mean output of the filter is that of the model in floating point. Then measures the error of each
 * layer. */
void tl_q_correct(tl_q_making *m, const tl_dataset *data);

#endif
