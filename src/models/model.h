/* model.h: shared by model files and checkpoints. */
#ifndef TL_FILE_MODEL_H
#define TL_FILE_MODEL_H

#include <tapline/file.h>

#include "io/archive.h"

/* Checks that there is a compiled model with memory; messages begin with `caller`. */
tl_status tl_model_check(const tl_model *model, const char *caller, tl_error *error);

/* Fails with TL_ERROR_NUMERIC if a parameter or state is not finite; the message names the array and begins with `caller`. */
tl_status tl_model_finite(const tl_model *model, const char *caller, tl_error *error);

/* Adds the texts that describe a model, its parameters and its states. */
tl_status tl_model_put(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error);

/* Returns the settings of the model's loss as JSON, which the caller releases; NULL if memory is short. */
json_t *tl_loss_describe(const tl_model *model);

/* What is known of how series are scaled: by tl_fit or the file that the model is from, else by the data set, else by
 * cfg->normalize. Statistics stay those of the model or data set. Fails where they contradict each other; messages begin with
 * `caller`. */
tl_status tl_model_find_scaling(const tl_model *model, const tl_save_cfg *cfg, const char *caller, tl_scaling *scaling,
                                tl_error *error);

/* Means and deviations of so many channels as JSON, to be released; NULL where memory is short. */
json_t *tl_scaling_describe(const tl_scaling *scaling, size_t count);

/* The names of classes (data NULL, or without: an empty list) as JSON, to be released. Fails where they do not fit the model or are
 * not UTF-8; messages begin with `caller`. */
json_t *tl_model_classes(const tl_model *model, const tl_dataset *data, const char *caller, tl_error *error);

/* Fails unless the archive is of this "kind" ("model" or "checkpoint"). */
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
