/* tapline/quantize.h: a trained network in integers of 8 bits, for devices with little memory.
 *
 * Weights have 8 bits and a scale for each filter, outputs of layers 8 bits with a scale and a zero point, biases 32 bits, as in
 * the quantisation specification of TensorFlow Lite (Jacob et al. 2018, "Quantization and training of neural networks for efficient
 * integer-arithmetic-only inference"). The library and the file of C that it writes compute with the same integers, bit for bit.
 */
#ifndef TAPLINE_QUANTIZE_H
#define TAPLINE_QUANTIZE_H

#include <tapline/c_export.h>
#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_quantized tl_quantized;

/* Makes the integers of a compiled model, whose batch norm is folded first. The outputs of its layers for `calibration`, the data
 * set that the model was trained on or a part of it, scaled as the model takes series, say which range each layer's numbers need
 * (of the first 500 series). Free with tl_quantized_free; the model has to live as long. Fails naming a layer that has no integers:
 * there are conv1d, dense, batch_norm, activations, sums, concat, pools, flatten, last_step, dropout and fixed_filters. */
TL_API tl_quantized *tl_quantize(tl_model *model, const tl_dataset *calibration, tl_error *error);

/* NULL is fine. */
TL_API void tl_quantized_free(tl_quantized *quantized);

/* As tl_predict: x: (count, length, channels), scaled as the model takes series; y: (count, out_length, outputs). By one thread at
 * a time. */
TL_API tl_status tl_quantized_predict(tl_quantized *quantized, const tl_tensor *x, tl_tensor *y, tl_error *error);

/* As tl_evaluate, of the network in integers. */
TL_API tl_status tl_quantized_evaluate(tl_quantized *quantized, const tl_dataset *data, tl_metrics *metrics, tl_error *error);

/* As tl_c_export: the file scales a series, computes in integers, and gives numbers in single precision. cfg->stream is refused. */
static inline tl_status tl_quantized_export(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                            tl_c_export_result *result, tl_error *error);

/* How well the integers of a layer stand for its numbers, over the calibration data. */
typedef struct tl_quantized_layer {
    const char *name;        /* such as "conv1d_2"; NULL behind the last */
    double minimum, maximum; /* of its outputs */
    double scale;            /* of a unit of its integers */
    int zero;                /* the integer that stands for 0 */
    double decibels;         /* signal to noise: how far the integers are from the numbers in floating point, 10·log10 of powers */
} tl_quantized_layer;

/* The layer of that index that has integers, from 0 on in the order of computation. */
TL_API tl_quantized_layer tl_quantized_layer_at(const tl_quantized *quantized, size_t index);

/* ---- how structs may grow (see tapline/base.h) ---- */

TL_API tl_status tl_quantized_export_sized(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                           tl_c_export_result *result, const tl_c_export_sizes *sizes, tl_error *error);

static inline tl_status tl_quantized_export(tl_quantized *quantized, const char *path, const tl_c_export_cfg *cfg,
                                            tl_c_export_result *result, tl_error *error) {
    const tl_c_export_sizes sizes = {sizeof(tl_c_export_cfg), sizeof(tl_c_export_result)};
    return tl_quantized_export_sized(quantized, path, cfg, result, &sizes, error);
}

#ifdef __cplusplus
}
#endif
#endif
