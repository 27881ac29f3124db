/* model.h: shared by model files and checkpoints. */
#ifndef TL_FILE_MODEL_H
#define TL_FILE_MODEL_H

#include <tapline/file.h>

#include "io/archive.h"

/* Checks that there is a compiled model with memory; messages begin with `caller`. */
tl_status tl_model_check(const tl_model *model, const char *caller, tl_error *error);

/* Fails with TL_ERROR_NUMERIC if a parameter or state is not finite; the message names the array and begins with `caller`. */
tl_status tl_model_finite(const tl_model *model, const char *caller, tl_error *error);

/* Copies what a program gave to tl_model_save or tl_model_load. `read` is where cfg->read points to. */
void tl_save_cfg_take(tl_save_cfg *cfg, tl_read_cfg *read, const tl_save_cfg *given, const tl_save_sizes *sizes, tl_error *error);
void tl_load_cfg_take(tl_load_cfg *cfg, const tl_load_cfg *given, const tl_load_sizes *sizes, tl_error *error);

/* Adds the texts that describe a model, all except "kind". */
tl_status tl_model_put_texts(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error);

/* Adds these texts, and the parameters and states. */
tl_status tl_model_put(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error);

/* Returns the settings of the model's loss as JSON, which the caller releases; NULL if memory is short. */
json_t *tl_loss_describe(const tl_model *model);

/* Finds the scaling of series: from tl_fit or the file of the model, else from the data set, else from cfg->normalize. Statistics
 * are those of the model or data set, not copies. Fails if these sources contradict each other; messages start with `caller`. */
tl_status tl_model_find_scaling(const tl_model *model, const tl_save_cfg *cfg, const char *caller, tl_scaling *scaling,
                                tl_error *error);

/* Returns means and deviations of this number of channels as JSON. Release it. NULL if memory is short. */
json_t *tl_scaling_describe(const tl_scaling *scaling, size_t count);

/* Returns the names of classes as JSON; an empty list if `data` is NULL or has none. Release it. Fails if they do not fit the model
 * or are not UTF-8; messages start with `caller`. */
json_t *tl_model_classes(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error);

/* Builds and compiles the network that the texts of an archive describe, with initial parameters. Also reads the scaling, the scale
 * of target values, and `info`. Returns NULL only if there was no memory or no valid text; release model and info also on failure.
 */
tl_model *tl_model_read_network(const tl_archive *archive, const tl_load_cfg *cfg, tl_model_info *info, tl_error *error);

/* Fails unless the archive is of this "kind" ("model", "checkpoint" or "quantized"). */
tl_status tl_model_check_kind(const tl_archive *archive, const char *kind, tl_error *error);

/* Opens an archive of this "kind". */
tl_status tl_model_open(tl_archive *archive, const char *path, const char *kind, size_t maximum, tl_error *error);

/* Writes `own` to the caller's info, which may be NULL, and in which tl_read_cfg may have another size. */
void tl_model_info_hand_over(tl_model_info *info, const tl_load_sizes *sizes, const tl_model_info *own);

/* Copies the parameters and states from the file to a model. */
tl_status tl_model_take(tl_archive *archive, tl_model *model, tl_error *error);

/* Copies the scale of target values from the file to a model. */
tl_status tl_model_take_targets(const tl_archive *archive, tl_model *model, tl_error *error);

#endif
