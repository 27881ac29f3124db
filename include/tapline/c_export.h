/* tapline/c_export.h: a trained network as one file of C that needs no library. */
#ifndef TAPLINE_C_EXPORT_H
#define TAPLINE_C_EXPORT_H

#include <tapline/dataset.h>
#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the default in brackets. */
typedef struct tl_c_export_cfg {
    const char *name;   /* (that of the file) what the names of functions begin with: letters, digits and underscores */
    const char *header; /* (none) also write the declarations to this file */
    bool no_libm;       /* (false) call no function of the C library: e^x, square roots and the like are functions of the file */
    bool stream;        /* (false) a network that takes a series step by step: NAME_reset and NAME_step */
    size_t window, hop; /* (0, 1) of a stream, as in tl_stream_cfg */
    const tl_dataset *data; /* (none) the data set that the model was trained on, for the names of its classes */
} tl_c_export_cfg;

/* What a file takes on a device, beside its code. */
typedef struct tl_c_export_result {
    size_t constant_bytes; /* weights and tables: flash */
    size_t memory_bytes;   /* the static array of all layers: RAM */
} tl_c_export_result;

/* Writes a compiled model as a file of C99, which C++ compilers take as well. It computes what tl_predict does for one series: the
 * scaling of the series, the network, the probabilities or the scaled-back values, in single precision, up to rounding. For the
 * name `net` it declares:
 *
 *     enum { NET_LENGTH, NET_CHANNELS, NET_OUT_LENGTH, NET_OUTPUTS };
 *     void net_predict(const float x[NET_LENGTH * NET_CHANNELS], float y[NET_OUT_LENGTH * NET_OUTPUTS]);
 *     extern const char *const net_class[NET_OUTPUTS];     of networks with named classes
 *
 * x: (length, channels) and y: (out_length, outputs) lie one step after the other and do not overlap. With cfg->stream it declares
 * in place of net_predict:
 *
 *     enum { NET_CHANNELS, NET_STEP_OUTPUTS, NET_OUTPUTS };
 *     void net_reset(void);                                          begins another series
 *     int net_step(const float x[NET_CHANNELS], float y[NET_STEP_OUTPUTS * NET_OUTPUTS]);
 *
 * net_step takes a step and returns how many outputs are known by it, of those that a tl_stream of the model gives.
 *
 * The file allocates nothing and includes <math.h> at most. Weights are constants, and the numbers of all layers share one static
 * array, so that two calls must not run at the same time. Batch norm behind a convolution or a dense layer is part of its weights
 * (folded in double precision). With NET_TEST defined the file is a program that compares three series with what the library
 * computed; tl_c_export runs the model on them.
 *
 * Fails, naming the layer, for a layer of your own, and with cfg->stream where tl_stream_new does; with TL_ERROR_ARGUMENT for a
 * name that C does not take, and TL_ERROR_FILE where a file cannot be written. `cfg` and `result` may be NULL. */
static inline tl_status tl_c_export(tl_model *model, const char *path, const tl_c_export_cfg *cfg, tl_c_export_result *result,
                                    tl_error *error);

/* ---- how structs may grow (see tapline/base.h) ---- */

typedef struct tl_c_export_sizes {
    size_t cfg, result;
} tl_c_export_sizes;

TL_API tl_status tl_c_export_sized(tl_model *model, const char *path, const tl_c_export_cfg *cfg, tl_c_export_result *result,
                                   const tl_c_export_sizes *sizes, tl_error *error);

static inline tl_status tl_c_export(tl_model *model, const char *path, const tl_c_export_cfg *cfg, tl_c_export_result *result,
                                    tl_error *error) {
    const tl_c_export_sizes sizes = {sizeof(tl_c_export_cfg), sizeof(tl_c_export_result)};
    return tl_c_export_sized(model, path, cfg, result, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
