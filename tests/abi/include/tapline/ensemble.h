/* tapline/ensemble.h: several models as one, which predicts the mean of their predictions.
 *
 * Members are added one after the other. The ensemble stores the predictions of a member for its series, so that the member may be
 * freed before the next one is trained or loaded. InceptionTime (Ismail Fawaz et al. 2020) is an ensemble of five networks
 * tl_inception whose models have different seeds. An ensemble is used by one thread at a time.
 */
#ifndef TAPLINE_ENSEMBLE_H
#define TAPLINE_ENSEMBLE_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Used by one thread at a time; it only reads its data set. */
typedef struct tl_ensemble tl_ensemble;

/* Creates an ensemble without members, for the series of `data`. The data stays the caller's and must exist as long as the
 * ensemble. Free the ensemble with tl_ensemble_free. NULL on failure. */
TL_API tl_ensemble *tl_ensemble_new(const tl_dataset *data, tl_error *error);

/* Frees an ensemble. NULL is allowed. */
TL_API void tl_ensemble_free(tl_ensemble *ensemble);

/* Adds a member: runs the model on all series in inference mode. All members have the same weight. The model must accept the
 * series, and must have the same loss and output shape as the first member; otherwise the function fails, the message says what
 * differs, and the ensemble is unchanged. */
TL_API tl_status tl_ensemble_add(tl_ensemble *ensemble, tl_model *model, tl_error *error);

/* Returns the number of members. */
TL_API size_t tl_ensemble_members(const tl_ensemble *ensemble);

/* Computes the metrics of the mean predictions: means of the members' probabilities (cross-entropies) or values (other losses). The
 * loss has the settings of the first member. Fails if there is no member, and as tl_evaluate does. */
TL_API tl_status tl_ensemble_evaluate(const tl_ensemble *ensemble, tl_metrics *metrics, tl_error *error);

/* Counts the samples by label and mean prediction; see tl_confusion, also for the errors. */
TL_API tl_status tl_ensemble_confusion(const tl_ensemble *ensemble, size_t *counts, tl_error *error);

/* Writes the mean predictions to y: (count, out_length, out_channels) [OUT]; see tl_predict. */
TL_API tl_status tl_ensemble_predict(const tl_ensemble *ensemble, tl_tensor *y, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
