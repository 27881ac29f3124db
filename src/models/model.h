/* model.h: what model files and checkpoints have in common. */
#ifndef TL_FILE_MODEL_H
#define TL_FILE_MODEL_H

#include <tapline/file.h>

#include "io/archive.h"

#define TL_FILE_VERSION "1" /* of the format: what tapline reads has this one */

/* Whether there is a compiled model with memory; messages begin with `caller`. */
tl_status tl_model_check(const tl_model *model, const char *caller, tl_error *error);

/* Fails with TL_ERROR_NUMERIC, naming the array, where a parameter or state is not finite; messages begin with `caller`. */
tl_status tl_model_finite(const tl_model *model, const char *caller, tl_error *error);

/* Adds the texts that describe a model, and its parameters and states. */
tl_status tl_model_put(tl_archive *archive, const tl_model *model, const tl_save_cfg *cfg, tl_error *error);

/* The settings of a model's loss as JSON, to be released; NULL where memory is short. */
json_t *tl_loss_describe(const tl_model *model);

/* Opens an archive of this "kind" ("model" or "checkpoint") and of a version that is understood. */
tl_status tl_model_open(tl_archive *archive, const char *path, const char *kind, size_t maximum, tl_error *error);

/* Copies the parameters and states of the file into a model. */
tl_status tl_model_take(tl_archive *archive, tl_model *model, tl_error *error);

/* Takes over how the file's model scales target values. */
tl_status tl_model_take_targets(const tl_archive *archive, tl_model *model, tl_error *error);

#endif
