/* tapline/stream.h: a network on a stream: steps go in as they come, and each output comes as soon as it is known.
 *
 * A stream keeps what its layers still need of the past, so that a step costs the layers' work on that step alone. Its outputs are
 * those of the whole series: tl_forward's on a model that is compiled for its length with TL_ENGINE_DIRECT, bit for bit, however
 * the steps were cut into pushes; with other engines, up to rounding. (A convolution or pool with a stride and TL_PADDING_SAME
 * keeps the padding on the left that it was compiled with.)
 *
 * Two kinds of layers work otherwise, since a stream has no end: tl_last_step gives each step, and tl_global_average_pool and
 * tl_global_max_pool go over all steps so far, or over the last ones (tl_stream_cfg.window). Layers that need the whole series
 * (tl_flatten, tl_group_norm, padding with anything but zeros) are refused by tl_stream_new, which says what to use in their place.
 *
 * Outputs are the network's: logits, and of a regression scaled values, which tl_model_target_scale says how to make values of.
 *
 * A stream is used by one thread at a time; several streams of one model may run on several threads.
 */
#ifndef TAPLINE_STREAM_H
#define TAPLINE_STREAM_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_stream tl_stream;

typedef struct tl_stream_cfg {
    size_t block;  /* (64) most steps that are computed at a time, up to 65536; longer pushes go block by block */
    size_t window; /* (0) steps of the input that global pools go over; 0: all since the beginning */
    size_t hop;    /* (1) global pools and tl_last_step give an output every so many steps of the input */
} tl_stream_cfg;

/* A stream of a compiled model, at its beginning, with all the memory that it will take; free with tl_stream_free. It copies the
 * parameters: training the model further does not change a stream, make another one after it. The model has to live as long as its
 * streams. `cfg` NULL: all defaults. Fails naming the layer that does not work on a stream, why, and what to use in its place; for
 * a window or hop where no layer has one; and where they are no multiple of the steps that the layers before take for an output.
 * That of a model compiled with plan_only has no memory and an error from the beginning, but tells what is known beforehand. */
static inline tl_stream *tl_stream_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error);

/* Another stream at the same place, which shares the parameters with the first, in whatever order the two are freed. */
TL_API tl_stream *tl_stream_copy(const tl_stream *stream, tl_error *error);

/* NULL is fine. */
TL_API void tl_stream_free(tl_stream *stream);

/* Takes the next `steps` of the series, x: (steps, channels), from 0 on, and writes the outputs that are known by then to y:
 * (outputs, output channels), for which there is room for `capacity` outputs. Returns how many there are: tl_stream_ready(stream,
 * steps). Allocates nothing, takes no lock and calls no system. Denormal numbers count as zero. Fails, in the stream's error and
 * with nothing taken, where `capacity` is too small, and after tl_stream_end. */
TL_API size_t tl_stream_push(tl_stream *stream, const tl_real *x, size_t steps, tl_real *y, size_t capacity);

/* Ends the series: the outputs that wait for later steps get the padding behind the end, as in a whole series. Returns how many
 * there are: tl_stream_rest(stream). After it, only tl_stream_reset and tl_stream_restore let the stream take steps again. */
TL_API size_t tl_stream_end(tl_stream *stream, tl_real *y, size_t capacity);

/* The outputs that a push of so many steps would give now; those that tl_stream_end would. 0 for NULL. */
TL_API size_t tl_stream_ready(const tl_stream *stream, size_t steps);
TL_API size_t tl_stream_rest(const tl_stream *stream);

/* Back to the beginning of a series, and without an error. */
TL_API void tl_stream_reset(tl_stream *stream);

/* The stream's own sticky error, never NULL: while it is set, pushes give nothing. That of a stream that is NULL says so. */
TL_API const tl_error *tl_stream_error(const tl_stream *stream);

/* ---- what is known of a stream beforehand ---- */

/* The step, from 0 on, whose push brings the first output: what an output waits for. 0: a push of one step is answered at once. */
TL_API size_t tl_stream_delay(const tl_stream *stream);

/* Steps of the input that an output depends on at most; 0: all since the beginning. */
TL_API size_t tl_stream_receptive_field(const tl_stream *stream);

/* Outputs for so many steps: 1 for 1, 1 for 4 after strides, 2 for 1 where series become longer. In lowest terms. */
typedef struct tl_stream_rate {
    size_t outputs, steps;
} tl_stream_rate;
TL_API tl_stream_rate tl_stream_rate_of(const tl_stream *stream);

TL_API size_t tl_stream_memory(const tl_stream *stream); /* bytes of the stream with its parameters, all there ever will be */

/* ---- its state as bytes ---- */

/* What the layers keep of the past. The bytes are of this machine's byte order and of this precision; a stream of the same network,
 * window and hop takes them, whatever its block and its parameters are. */
TL_API size_t tl_stream_state_size(const tl_stream *stream);

/* Writes tl_stream_state_size bytes; fails where there is room for fewer. */
TL_API tl_status tl_stream_save(const tl_stream *stream, void *bytes, size_t size, tl_error *error);

/* Goes on where the saved stream was. Fails, changing nothing, for bytes that are damaged, of another version or precision, or of a
 * stream of another network. */
TL_API tl_status tl_stream_restore(tl_stream *stream, const void *bytes, size_t size, tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_stream *tl_stream_new_sized(const tl_model *model, const tl_stream_cfg *cfg, size_t size, tl_error *error);

static inline tl_stream *tl_stream_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error) {
    return tl_stream_new_sized(model, cfg, sizeof *cfg, error);
}

#ifdef __cplusplus
}
#endif
#endif
