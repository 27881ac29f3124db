/* tapline/c_export.h: writes a trained network as one C file that needs no library. */
#ifndef TAPLINE_C_EXPORT_H
#define TAPLINE_C_EXPORT_H

#include <tapline/dataset.h>
#include <tapline/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A field that is zero has the default value in brackets. */
typedef struct tl_c_export_cfg {
    const char *name;       /* (name of the file) prefix of the function names: letters, digits and underscores */
    const char *header;     /* (none) also write the declarations to this file */
    bool no_libm;           /* (false) call no function of the C library: the file contains its own e^x, square root and so on */
    bool stream;            /* (false) read a series step by step, with the functions NAME_reset and NAME_step */
    size_t window, hop;     /* (0, 1) only with `stream`; the fields of tl_stream_cfg have the same meaning */
    const tl_dataset *data; /* (none) the training set of the model; it gives the names of the classes */
} tl_c_export_cfg;

/* Bytes that the file needs on a device, without its code. */
typedef struct tl_c_export_result {
    size_t constant_bytes; /* weights and tables: flash */
    size_t memory_bytes;   /* the static array of all layers: RAM */
} tl_c_export_result;

/* Writes a compiled model as a C99 file, which is valid C++ too. The file computes the same as tl_predict for one series: it scales
 * the series, runs the network, and computes the probabilities or scales the values back. It uses single precision; results differ
 * only by rounding. For the name `net` it declares:
 *
 *     enum { NET_LENGTH, NET_CHANNELS, NET_OUT_LENGTH, NET_OUTPUTS };
 *     void net_predict(const float x[NET_LENGTH * NET_CHANNELS], float y[NET_OUT_LENGTH * NET_OUTPUTS]);
 *     extern const char *const net_class[NET_OUTPUTS];     only if the classes have names
 *
 * x: (length, channels) and y: (out_length, outputs) are arrays in row-major order that must not overlap. With cfg->stream, it
 * declares these instead of net_predict:
 *
 *     enum { NET_CHANNELS, NET_STEP_OUTPUTS, NET_OUTPUTS };
 *     void net_reset(void);                                          starts a new series
 *     int net_step(const float x[NET_CHANNELS], float y[NET_STEP_OUTPUTS * NET_OUTPUTS]);
 *
 * net_step reads one step and returns the number of outputs that it wrote to y. The outputs are those of a tl_stream of the model.
 *
 * The file allocates no memory and includes no header except <math.h>. Weights are constants. All layers share one static array, so
 * two calls must not run at the same time. Batch norm after a convolution or a dense layer is folded into its weights in double
 * precision. If NET_TEST is defined, the file is a program that runs three series and compares the results with those of the
 * library; for this, tl_c_export runs the model on these series.
 *
 * Fails for a layer of your own (the message names the layer), for a tl_rocket whose biases were not drawn, and, with cfg->stream,
 * for all models for which tl_stream_new fails. Fails with TL_ERROR_ARGUMENT if `name` is no valid C identifier, and with
 * TL_ERROR_FILE if a file cannot be written. `cfg` and `result` may be NULL. */
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
