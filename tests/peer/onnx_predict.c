/* Imports an ONNX file, writes the predictions of the model for some series, and trains it on them for an epoch; for
 * onnx_import.py.
 *
 * usage: onnx_predict FILE.onnx SERIES COUNT LENGTH CHANNELS PREDICTIONS    SERIES, PREDICTIONS: raw tl_real, (count, length,
 * channels). Prints the shape of the output, or the message of a refusal (exit code 1). */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refused(const tl_error *error) {
    printf("%s\n", error->text);
    return 1;
}

/* Trains the model to predict a few integers; only the loss must be finite. */
static void train(const char *path, const tl_dataset *data, tl_error *error) {
    const tl_onnx_import_cfg cfg = {.threads = 1,
                                    .length = data->x.shape[1],
                                    .loss = "squared-error",
                                    .compile = {.batch = 4, .optimizer = {.learning_rate = 1e-3}}};
    tl_fit_result result = {0};
    tl_model *model = tl_onnx_import(path, &cfg, NULL, error);
    const tl_shape out = tl_output_shape(model);
    tl_dataset targets = *data;
    targets.values = calloc(data->x.shape[0] * out.length * out.channels + 1, sizeof *targets.values);
    targets.labels = NULL;
    targets.classes = 0;
    targets.target_length = out.length;
    targets.target_channels = out.channels;
    if (!tl_failed(error)) targets.scaling.kind = TL_NORMALIZE_DEFAULT;
    for (size_t i = 0; targets.values && i < data->x.shape[0] * out.length * out.channels; i++)
        targets.values[i] = (tl_real)(i % 7);
    if (tl_fit(model, &targets, &(tl_fit_cfg){.epochs = 1}, &result, error) == TL_OK && !isfinite(result.best_loss))
        tl_fail(error, TL_ERROR_NUMERIC, "the loss of an epoch is %g", result.best_loss);
    free(targets.values);
    tl_model_free(model);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    if (argc != 7) return 2;
    const size_t shape[] = {strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10), strtoul(argv[5], NULL, 10)};
    tl_tensor x = tl_tensor_new(3, shape, &error);
    FILE *series = fopen(argv[2], "rb");
    const bool read =
        !tl_failed(&error) && series && fread(x.data, sizeof(tl_real), tl_tensor_count(&x), series) == tl_tensor_count(&x);
    if (series) fclose(series);
    if (!read) return 2;
    const tl_dataset data = {.x = x};
    const tl_onnx_import_cfg cfg = {.threads = 1, .data = &data, .compile = {.batch = 4, .inference_only = true}};
    tl_model *model = tl_onnx_import(argv[1], &cfg, NULL, &error);
    if (!model) return refused(&error);
    const tl_shape out = tl_output_shape(model);
    tl_tensor y = tl_tensor_new(3, (const size_t[]){shape[0], out.length, out.channels}, &error);
    if (tl_predict(model, &x, NULL, &y, &error) != TL_OK) return refused(&error);
    FILE *to = fopen(argv[6], "wb");
    const bool written = to && fwrite(y.data, sizeof(tl_real), tl_tensor_count(&y), to) == tl_tensor_count(&y);
    if (to) fclose(to);
    if (!written) return 2;
    train(argv[1], &data, &error);
    if (tl_failed(&error)) return refused(&error);
    printf("%zu %zu %zu\n", tl_parameter_count(model), out.length, out.channels);
    return 0;
}
