/* tapline/stream.h: runs a network on a stream: you push steps of a series as they arrive, and get each output as soon as it is
 * known.
 *
 * A stream keeps the part of the past that its layers still need, so that a step costs only the work for that step. Its outputs are
 * those of tl_forward for the whole series, on a model that is compiled for the length of the series with TL_ENGINE_DIRECT: bit for
 * bit, and no matter how the steps are divided into pushes. With other engines, and where tl_forward folds batch norms
 * (tl_compile_cfg.no_fold_batch_norm), they are equal up to rounding. (A convolution or pool with a stride and TL_PADDING_SAME
 * keeps the left padding that it was compiled with.)
 *
 * A stream has no end, so two kinds of layers work differently. tl_last_step outputs every step. tl_global_average_pool and
 * tl_global_max_pool reduce over all steps so far, or over the last ones (tl_stream_cfg.window). Layers that need the whole series
 * (tl_flatten, tl_group_norm, padding with anything but zeros) do not work on a stream: tl_stream_new fails, and the message says
 * which layer to use instead.
 *
 * Outputs are those of the network: logits, or scaled values of a regression; tl_model_target_scale tells how to convert these.
 *
 * Threads: one thread at a time uses a stream; several streams of one model may run on several threads.
 */
#ifndef TAPLINE_STREAM_H
#define TAPLINE_STREAM_H

#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_stream tl_stream;

typedef struct tl_stream_cfg {
    size_t block;  /* (64) maximum number of steps that are computed at a time, 1 … 65536; a longer push is divided into blocks */
    size_t window; /* (0) steps of the input over which global pools reduce; 0: all steps since the beginning */
    size_t hop;    /* (1) global pools and tl_last_step output once every `hop` steps of the input */
    size_t max_memory; /* (no limit) limit of the bytes of the stream: a small model file may describe a stream of any size. For
                          models of others, tl_memory_limit (tapline/machine.h) is a good value */
} tl_stream_cfg;

/* Creates a stream of a compiled model, at the beginning of a series, and allocates all memory that it will need; free it with
 * tl_stream_free. The stream copies the parameters: further training of the model does not change it, so create another stream
 * afterwards. The model must exist as long as its streams. `cfg` NULL: all defaults.
 *
 * Fails if a layer does not work on a stream (the message names the layer, the reason and a replacement), if window or hop is set
 * and no layer uses it, if window or hop is not a multiple of the steps that the layers before need for one output, and, with
 * TL_ERROR_MEMORY, if more than max_memory is needed. A stream of
 * a model that was compiled with plan_only has no memory and an error from the start, but the functions on its properties below
 * work. */
static inline tl_stream *tl_stream_new(const tl_model *model, const tl_stream_cfg *cfg, tl_error *error);

/* Creates another stream in the same state. Both share the parameters and may be freed in any order. NULL on failure. */
TL_API tl_stream *tl_stream_copy(const tl_stream *stream, tl_error *error);

/* Frees a stream. NULL is allowed. */
TL_API void tl_stream_free(tl_stream *stream);

/* Takes the next steps of the series, x: (steps, channels), and writes all outputs that are now known to y: (outputs, output
 * channels) [OUT], which has room for `capacity` outputs. Returns the number of outputs: tl_stream_ready(stream, steps). Does not
 * allocate, lock or call the operating system. Denormal numbers count as zero. If `capacity` is too small, or after tl_stream_end,
 * it sets the stream's error and takes no step. */
TL_API size_t tl_stream_push(tl_stream *stream, const tl_real *x, size_t steps, tl_real *y, size_t capacity);

/* Ends the series and writes the outputs that were waiting for later steps, for which padding is used as at the end of a whole
 * series, to y: (outputs, output channels) [OUT]. Returns the number of outputs: tl_stream_rest(stream). After it, call
 * tl_stream_reset or tl_stream_restore before you push steps again. */
TL_API size_t tl_stream_end(tl_stream *stream, tl_real *y, size_t capacity);

/* tl_stream_ready returns the number of outputs that a push of `steps` steps would give now; tl_stream_rest that of tl_stream_end.
 * 0 for NULL. */
TL_API size_t tl_stream_ready(const tl_stream *stream, size_t steps);
TL_API size_t tl_stream_rest(const tl_stream *stream);

/* Returns to the beginning of a series and clears the error. */
TL_API void tl_stream_reset(tl_stream *stream);

/* Returns the error of the stream, never NULL. While it is set, pushes give no output. For a NULL stream the error says so. */
TL_API const tl_error *tl_stream_error(const tl_stream *stream);

/* ---- properties of a stream ---- */

/* Returns how many steps the first output waits for: step number `delay`, from 0, brings it. 0: a push of one step gives an output
 * at once. */
TL_API size_t tl_stream_delay(const tl_stream *stream);

/* Returns the maximum number of steps of the input that an output depends on; 0: all since the beginning. */
TL_API size_t tl_stream_receptive_field(const tl_stream *stream);

/* The rate of outputs, in lowest terms: 1 output for 1 step, 1 for 4 with strides, 2 for 1 where series become longer. */
typedef struct tl_stream_rate {
    size_t outputs, steps;
} tl_stream_rate;
TL_API tl_stream_rate tl_stream_rate_of(const tl_stream *stream);

TL_API size_t tl_stream_memory(const tl_stream *stream); /* bytes of the stream, including its parameters; it never needs more */

/* ---- saving and restoring ---- */

/* Returns the size in bytes of the state: what the layers keep of the past. The bytes have this machine's byte order and this
 * library's precision. A stream of the same network, window and hop can restore them, also with another block and other
 * parameters. */
TL_API size_t tl_stream_state_size(const tl_stream *stream);

/* Writes tl_stream_state_size bytes to bytes: (size) [OUT]; fails if `size` is smaller. */
TL_API tl_status tl_stream_save(const tl_stream *stream, void *bytes, size_t size, tl_error *error);

/* Continues from the saved state in bytes: (size). Fails, without a change, for bytes that are damaged, of another version or
 * precision, or of a stream of another network. */
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
