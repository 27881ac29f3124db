/* shim.h: a flat interface to the library, for languages that call C functions without a C compiler (Python's ctypes).
 *
 * Arguments are numbers, pointers to arrays, opaque handles and JSON texts. Functions that can fail return a tl_status as an int, 0
 * for success, and write the message of a failure to `text`, (TL_SHIM_TEXT) bytes of the caller. [OUT] marks arguments that are
 * written. The caller owns all arrays. Series are (count, length, channels), row-major; lengths: (count) is the number of steps of
 * each series, NULL: all. One thread at a time may use a handle; different handles are independent of each other.
 *
 * This is part of the Python package, not of the library's public interface: it may change with any version.
 */
#ifndef TL_SHIM_H
#define TL_SHIM_H

#include <tapline/tapline.h>

enum { TL_SHIM_TEXT = sizeof(((tl_error *)0)->text) };

/* The library's version, and the instruction set that it uses. */
TL_API const char *tl_shim_version(void);
TL_API const char *tl_shim_isa(void);

/* Frees a text, or bytes, that a function of this header made. NULL is fine. */
TL_API void tl_shim_text_free(void *text);

/* ---- data ---- */

/* Replaces each NaN of x by the policy's value: "refuse" (fails where there is one), "interpolate", "mean" or "zero". Fails, naming
 * the series, where a channel has no value at all. */
TL_API int tl_shim_fill_missing(const char *policy, double *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                                char *text);

/* Scales x in place as tl_normalization says of `kind`: "none", "series" or "set". mean, deviation: (channels), of "set" only:
 * read where `fitted`, else [OUT] the statistics of x. */
TL_API int tl_shim_scale(const char *kind, double *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                         bool fitted, double *mean, double *deviation, char *text);

/* held_out: (count) [OUT] 1 where tl_dataset_fold puts a series into fold 0 of `folds`, else 0. labels: (count), NULL: none. */
TL_API int tl_shim_fold(const int32_t *labels, size_t count, size_t classes, size_t folds, uint64_t seed, uint8_t *held_out,
                        char *text);

/* A data set that refers to arrays of the caller, which must stay valid. */
typedef struct tl_shim_data tl_shim_data;

/* *data [OUT] has no targets yet. Free it with tl_shim_data_free. */
TL_API int tl_shim_data_new(const tl_real *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                            tl_shim_data **data, char *text);
TL_API void tl_shim_data_free(tl_shim_data *data);

/* labels: (count, steps), each in 0 … classes - 1; NULL where only the names matter. names: JSON, a list of `classes` texts; NULL:
 * the classes have no names. */
TL_API int tl_shim_data_labels(tl_shim_data *data, const int32_t *labels, size_t steps, size_t classes, const char *names,
                               char *text);

/* values: (count, steps, outputs). */
TL_API int tl_shim_data_values(tl_shim_data *data, const double *values, size_t steps, size_t outputs, char *text);

/* How x was scaled. mean, deviation: (channels), of "set" only; copied. */
TL_API int tl_shim_data_scaling(tl_shim_data *data, const char *kind, const double *mean, const double *deviation, char *text);

/* ---- models ---- */

/* The names of ready-made networks, index = 0, 1 …; NULL after the last one. */
TL_API const char *tl_shim_architecture_name(size_t index);

/* The defaults of the ready-made network with that name, or, for any other text, of networks in files (tl_architecture). numbers:
 * (4) [OUT] batch for this number of series, epochs, members, 1 if the last layer is computed in closed form, else 0; *schedule
 * [OUT] its name. */
TL_API void tl_shim_defaults(const char *architecture, size_t series, size_t *numbers, const char **schedule);

/* Builds and compiles a network. settings: JSON, see settings.c. architecture: the name of a ready-made network, or JSON
 * (tapline/architecture.h). class_weights: (outputs) or NULL. own_loss: for the loss "own", else NULL. */
TL_API int tl_shim_model_new(const char *settings, size_t length, size_t channels, const char *architecture, size_t outputs,
                             const double *class_weights, tl_own_loss own_loss, tl_model **model, char *text);
TL_API void tl_shim_model_free(tl_model *model);

/* input, output: (2) [OUT] length and channels; numbers: (4) [OUT] trained scalars, bytes of memory, the largest batch, steps. */
TL_API void tl_shim_model_sizes(const tl_model *model, size_t *input, size_t *output, size_t *numbers);

/* *json [OUT] the network, to be freed with tl_shim_text_free. */
TL_API int tl_shim_model_architecture(const tl_model *model, char **json, char *text);

/* Array `index` of the model; false where there is none. layer, name, value, gradient [OUT]: valid as long as the model; gradient
 * NULL: it is not trained. shape: (TL_MAX_RANK) [OUT]. */
TL_API bool tl_shim_parameter(const tl_model *model, size_t index, const char **layer, const char **name, tl_real **value,
                              tl_real **gradient, size_t *rank, size_t *shape);

/* ---- passes: see the functions of tapline/model.h that are called so. What fails is forgotten by the model. ---- */

TL_API int tl_shim_forward(tl_model *model, const tl_real *x, const size_t *lengths, size_t batch, size_t length, size_t channels,
                           int mode, char *text);
/* A target as the loss asks, the others NULL; labels: (batch × steps), values: (batch, steps, outputs); weights: (batch) or NULL.
 */
TL_API int tl_shim_loss(tl_model *model, const int32_t *labels, const tl_real *values, const tl_real *weights, double *loss,
                        char *text);
TL_API int tl_shim_backward(tl_model *model, char *text);
/* dy: the shape of the output. */
TL_API int tl_shim_backward_from(tl_model *model, const tl_real *dy, char *text);
TL_API int tl_shim_step(tl_model *model, char *text);
TL_API void tl_shim_zero_grad(tl_model *model);
TL_API double tl_shim_learning_rate(const tl_model *model);
TL_API int tl_shim_set_learning_rate(tl_model *model, double learning_rate, char *text);

/* Views (batch, length, channels) of the last pass; NULL where there is none. shape: (3) [OUT]. */
TL_API const tl_real *tl_shim_output(const tl_model *model, size_t *shape);
TL_API const tl_real *tl_shim_input_gradient(const tl_model *model, size_t *shape);

/* ---- training ---- */

/* numbers: (TL_SHIM_PROGRESS) of tl_progress: epoch, epochs, batch, batches, epoch_end, of train and validation each loss,
 * accuracy, rmse and mae, then steps, step_loss, learning_rate and seconds. 0 stops the training. */
enum { TL_SHIM_PROGRESS = 17 };
typedef int (*tl_shim_progress)(const double *numbers);

/* tl_fit. validation: NULL: none; weights: (count) of the series, or NULL; settings: JSON, see settings.c; checkpoint, resume:
 * paths or NULL. progress is called at the end of each epoch and, between, at most every `every` seconds. result: (7) [OUT] epochs,
 * steps, best_epoch, best_loss, stopped, early_stopped, seconds. */
TL_API int tl_shim_fit(tl_model *model, const tl_shim_data *data, const tl_shim_data *validation, const double *weights,
                       const char *settings, const char *checkpoint, const char *resume, tl_shim_progress progress, double every,
                       double *result, char *text);

/* metrics: (8) [OUT] in the order of tl_metrics. */
TL_API int tl_shim_evaluate(tl_model *model, const tl_shim_data *data, double *metrics, char *text);

/* y: (count, output length, output channels) [OUT]. */
TL_API int tl_shim_predict(tl_model *model, const tl_real *x, const size_t *lengths, size_t count, size_t length, size_t channels,
                           tl_real *y, char *text);

/* tl_fit_ridge. penalties: (count) to choose from; NULL: the defaults. result: (7) [OUT] penalty, error, accuracy, slope, features,
 * constant, seconds, as in tl_ridge_result. */
TL_API int tl_shim_fit_ridge(tl_model *model, const tl_shim_data *data, const double *penalties, size_t count, double *result,
                             char *text);

TL_API int tl_shim_update_statistics(tl_model *model, const tl_shim_data *data, char *text);

/* ---- files ---- */

/* data: classes, scaling and whether there are lengths; NULL: nothing of it is known. missing: a policy's name. */
TL_API int tl_shim_save(const tl_model *model, const tl_shim_data *data, const char *missing, const char *path, char *text);

/* settings: JSON, see settings.c. *info [OUT]: JSON, to be freed with tl_shim_text_free: "length", "channels", "outputs", "loss",
 * "classes" (names, null: none), "normalize", "mean", "deviation" (null: none), "missing" and "unequal". */
TL_API int tl_shim_load(const char *path, const char *settings, tl_model **model, char **info, char *text);

/* *bytes [OUT] the file that tl_shim_save writes without data, to be freed with tl_shim_text_free; *size [OUT] their number. */
TL_API int tl_shim_write(const tl_model *model, void **bytes, size_t *size, char *text);

/* As tl_shim_load, from such bytes. */
TL_API int tl_shim_parse(const void *bytes, size_t size, const char *settings, tl_model **model, char **info, char *text);

#endif
