/* variant.h: what a layer adds to an engine: groups of channels, and padding with other values than zeros. */
#ifndef TL_CONV1D_VARIANT_H
#define TL_CONV1D_VARIANT_H

#include "layers/conv1d/engine.h"

#include "kernels/kernels.h"

/* Padding of a series by its own values. */
typedef struct tl_pad_mode {
    tl_padding_mode mode;
    size_t length, pad_left, padded; /* padded: pad_left + length + right padding */
} tl_pad_mode;

/* padded: (batch, padded, channels) [OUT] = x: (batch, length, channels) with its padding. lengths: the steps of each sample that
 * are data; NULL: all.
 */
void tl_pad_copy(const tl_pad_mode *pad, const tl_real *x, size_t batch, size_t channels, const size_t *lengths,
                 const tl_workers *workers, tl_real *padded);

/* The transpose: dx = the sums of the gradients of its copies in `padded`. */
void tl_pad_fold(const tl_pad_mode *pad, const tl_real *padded, size_t batch, size_t channels, const size_t *lengths,
                 const tl_workers *workers, tl_real *dx);

/* Returns whether a series of that length has enough steps for its padding. */
bool tl_pad_fits(const tl_pad_mode *pad, size_t length);

/* A convolution with groups: group g computes the filters g·F/groups … from the channels g·C/groups …; the weight is (kernel,
 * C/groups, F). */
typedef struct tl_conv1d_groups {
    tl_conv1d_job job; /* of one group */
    size_t groups;
} tl_conv1d_groups;

/* `spec` has all channels and filters. */
tl_status tl_conv1d_groups_prepare(const tl_conv1d_spec *spec, size_t groups, tl_conv1d_groups *self, tl_error *error);

/* The passes of engine.h, and the elements of temporary memory for all of them. The outputs are finished whether the engine
 * `finishes` or not. */
size_t tl_conv1d_groups_scratch(const tl_conv1d_groups *self, int workers);
void tl_conv1d_groups_forward(const tl_conv1d_groups *self, const tl_real *x, const tl_real *weight, const tl_real *bias,
                              tl_real *y, const tl_workers *workers, tl_real *scratch);
void tl_conv1d_groups_backward_input(const tl_conv1d_groups *self, const tl_real *dy, const tl_real *weight, tl_real *dx,
                                     const tl_workers *workers, tl_real *scratch);
void tl_conv1d_groups_backward_weights(const tl_conv1d_groups *self, const tl_real *x, const tl_real *dy, tl_real *dweight,
                                       tl_real *dbias, const tl_workers *workers, tl_real *scratch);

/* Copies the columns of group g of a matrix of `groups` times `width` columns to contiguous memory, and back. */
void tl_conv1d_gather(const tl_conv1d_groups *self, const tl_real *from, size_t rows, size_t width, size_t g, tl_real *to);
void tl_conv1d_scatter(const tl_conv1d_groups *self, const tl_real *from, size_t rows, size_t width, size_t g, tl_real *to);

/* Forward with weights that are packed once: see tl_inference_ops, whose numbers of elements the first two return. bias may be
 * NULL; scratch of tl_conv1d_groups_run: that of tl_conv1d_groups_forward. */
size_t tl_conv1d_groups_packed(const tl_conv1d_groups *self);
size_t tl_conv1d_groups_pack_scratch(const tl_conv1d_groups *self);
void tl_conv1d_groups_pack(const tl_conv1d_groups *self, const tl_real *weight, const tl_real *bias, const tl_packing *packing);
void tl_conv1d_groups_run(const tl_conv1d_groups *self, const tl_real *x, const tl_real *packed, const tl_finish *finish,
                          tl_real *y, const tl_workers *workers, tl_real *scratch);

/* The same convolution on a stream (tl_stream_ops), with the bits of the direct engine. In `pass`, input 0 and the output have all
 * channels and filters. */
void tl_conv1d_stream_plan(const tl_conv1d_groups *self, const tl_kernels *kernels, tl_streaming *streaming);
void tl_conv1d_stream_pack(const tl_conv1d_groups *self, const tl_kernels *kernels, const tl_real *weight, const tl_real *bias,
                           tl_real *packed);
void tl_conv1d_stream_run(const tl_conv1d_groups *self, const tl_stream_pass *pass);

/* A transposed convolution on a stream. `shape` is that of the convolution from the output to the input; `behind`: steps that are
 * cut off at the end, minus those that are added there. */
void tl_conv1d_transpose_stream_plan(const tl_conv1d_shape *shape, ptrdiff_t behind, const tl_kernels *kernels,
                                     tl_streaming *streaming);
void tl_conv1d_transpose_stream_pack(const tl_conv1d_shape *shape, const tl_kernels *kernels, const tl_real *weight,
                                     const tl_real *bias, tl_real *packed);
void tl_conv1d_transpose_stream_run(const tl_conv1d_shape *shape, bool biased, const tl_stream_pass *pass);

/* Returns the name of the tl_padding_mode with that number; NULL after the last one. */
const char *tl_padding_mode_at(size_t index);

/* Depthwise convolution. It is not in the table of engines, because its weight is (kernel, channels). */
extern const tl_conv1d_ops tl_conv1d_depthwise;

#endif
