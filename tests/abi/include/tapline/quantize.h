/* tapline/quantize.h: trained networks in 8-bit integers, for devices with little memory.
 *
 * Weights have 8 bits and one scale for each filter. Outputs of layers have 8 bits, with one scale and one zero point for each
 * layer. Biases and sums have 32 bits. This is the quantization specification of TensorFlow Lite (Jacob et al. 2018, "Quantization
 * and training of neural networks for efficient integer-arithmetic-only inference"). The library and the C file that it writes
 * compute the same integers, bit for bit, on every processor.
 */
#ifndef TAPLINE_QUANTIZE_H
#define TAPLINE_QUANTIZE_H

#include <tapline/c_export.h>
#include <tapline/file.h>
#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_quantized tl_quantized;

/* Zero means the default in brackets. */
typedef struct tl_quantize_cfg {
    /* (100) above 50, at most 100. 100: the range of a layer's integers contains all numbers that occur. Below 100, the largest and
     * the smallest (100 - percentile) / 2 % of the numbers of each channel may be outside; they are then limited to the range, and
     * the integers of all other numbers are finer */
    double percentile;
} tl_quantize_cfg;

/* Makes a network in integers from a compiled model. The model runs on `calibration` (the first 500 series), and the numbers that
 * occur determine the scales of its layers. Use the training set, or a part of it, scaled as for the training. `cfg` NULL: all
 * defaults.
 *
 * Batch norm is folded into weights. Channels of different ranges are scaled to one range where the layers before and after allow
 * it, and biases are corrected so that the means of the filters stay those of the model (Nagel et al. 2019, "Data-free quantization
 * through weight equalization and bias correction").
 *
 * Free the result with tl_quantized_free. The model must live as long as the result. Fails with TL_ERROR_ARGUMENT for a layer that
 * cannot be computed in integers; the message names it. These layers can: conv1d, dense, batch_norm, activations, add, concat,
 * pools, flatten, last_step, dropout and fixed_filters. */
static inline tl_quantized *tl_quantize(tl_model *model, const tl_dataset *calibration, const tl_quantize_cfg *cfg,
                                        tl_error *error);

/* Frees it. NULL is allowed. */
TL_API void tl_quantized_free(tl_quantized *quantized);

/* As tl_predict. x: (count, length, channels), scaled as the model expects; y: (count, out_length, outputs). Only one thread may
 * use a network at the same time. */
TL_API tl_status tl_quantized_predict(tl_quantized *quantized, const tl_tensor *x, tl_tensor *y, tl_error *error);

/* As tl_evaluate and tl_confusion. Both fail if the series differ in length. */
TL_API tl_status tl_quantized_evaluate(tl_quantized *quantized, const tl_dataset *data, tl_metrics *metrics, tl_error *error);
TL_API tl_status tl_quantized_confusion(tl_quantized *quantized, const tl_dataset *data, size_t *counts, tl_error *error);

/* As tl_c_export. The functions in the file take and return numbers in single precision, and compute in integers in between.
 * cfg->stream is refused. */
static inline tl_status tl_quantized_export(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                            tl_c_export_result *result, tl_error *error);

/* ---- files ---- */

/* Writes the network as a model file of another kind (docs/files.md), which only tl_quantized_load reads. Otherwise as
 * tl_model_save. */
static inline tl_status tl_quantized_save(const tl_quantized *quantized, const char *path, const tl_save_cfg *cfg, tl_error *error);

/* Loads such a file; `cfg` and `info` as for tl_model_load. The network has the integers that were saved. Free it with
 * tl_quantized_free. Returns NULL on failure: with the errors of tl_model_load, with TL_ERROR_FORMAT if a number in the file is not
 * allowed, and with TL_ERROR_ARGUMENT if cfg->output or cfg->compile.plan_only is set. */
static inline tl_quantized *tl_quantized_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error);

/* Returns whether a file is of that kind; false also if it cannot be read. */
TL_API bool tl_quantized_is_file(const char *path);

/* Returns the model that the network was made from, for its shapes, layers and loss. A network from a file has a model without
 * trained parameters, which is freed with the network. */
TL_API tl_model *tl_quantized_model(tl_quantized *quantized);

/* ---- layers ---- */

/* The integers of a layer's output. The integer q represents the number (q - zero) · scale. */
typedef struct tl_quantized_layer {
    const char *name;        /* such as "conv1d_2"; NULL after the last layer */
    double minimum, maximum; /* the range that the calibration found; of a network from a file: of the integers */
    double scale;
    int zero;
    double decibels; /* NaN for a network from a file. Error over the calibration data: 10·log10 of the power of the layer's numbers
                        over that of the differences between the model and the integers. At 20 dB, the differences have a tenth of
                        the amplitude */
} tl_quantized_layer;

/* Returns the layer with that index, from 0 on in the order of computation. */
TL_API tl_quantized_layer tl_quantized_layer_at(const tl_quantized *quantized, size_t index);

/* Returns the bytes of its weights, biases, scales and tables, as in the C file. 0 for NULL. */
TL_API size_t tl_quantized_bytes(const tl_quantized *quantized);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_quantized *tl_quantize_sized(tl_model *model, const tl_dataset *calibration, const tl_quantize_cfg *cfg, size_t size,
                                       tl_error *error);
TL_API tl_status tl_quantized_save_sized(const tl_quantized *quantized, const char *path, const tl_save_cfg *cfg,
                                         const tl_save_sizes *sizes, tl_error *error);
TL_API tl_quantized *tl_quantized_load_sized(const char *path, const tl_load_cfg *cfg, tl_model_info *info,
                                             const tl_load_sizes *sizes, tl_error *error);
TL_API tl_status tl_quantized_export_sized(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                           tl_c_export_result *result, const tl_c_export_sizes *sizes, tl_error *error);

static inline tl_quantized *tl_quantize(tl_model *model, const tl_dataset *calibration, const tl_quantize_cfg *cfg,
                                        tl_error *error) {
    return tl_quantize_sized(model, calibration, cfg, sizeof *cfg, error);
}
static inline tl_status tl_quantized_save(const tl_quantized *quantized, const char *path, const tl_save_cfg *cfg,
                                          tl_error *error) {
    const tl_save_sizes sizes = {sizeof(tl_save_cfg), sizeof(tl_read_cfg)};
    return tl_quantized_save_sized(quantized, path, cfg, &sizes, error);
}
static inline tl_quantized *tl_quantized_load(const char *path, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error) {
    const tl_load_sizes sizes = {sizeof(tl_load_cfg), sizeof(tl_compile_cfg), sizeof(tl_optimizer_cfg), sizeof(tl_model_info),
                                 sizeof(tl_read_cfg)};
    return tl_quantized_load_sized(path, cfg, info, &sizes, error);
}
static inline tl_status tl_quantized_export(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                            tl_c_export_result *result, tl_error *error) {
    const tl_c_export_sizes sizes = {sizeof(tl_c_export_cfg), sizeof(tl_c_export_result)};
    return tl_quantized_export_sized(quantized, path, cfg, result, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
