/* tapline/ensemble.h: several models as one, which predicts the mean of what they predict.
 *
 * Members join one after the other. What a member predicts for the ensemble's series is taken when it joins, so that it may be
 * freed before the next one is trained or loaded. InceptionTime (Ismail Fawaz et al. 2020) is five networks tl_inception whose
 * models differ in their seeds.
 */
#ifndef TAPLINE_ENSEMBLE_H
#define TAPLINE_ENSEMBLE_H

#include <tapline/train.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tl_ensemble tl_ensemble;

/* An ensemble that has no members yet, for the series of `data`, which stay the caller's and have to stay there. Free it with
 * tl_ensemble_free. NULL on failure. */
TL_API tl_ensemble *tl_ensemble_new(const tl_dataset *data, tl_error *error);

/* NULL is fine. */
TL_API void tl_ensemble_free(tl_ensemble *ensemble);

/* Runs the model on all series, in inference mode; what it predicts counts as much as what each of the others does. It must take
 * the series, and have the loss and the output shape of the first member: the message says what differs. A member that does not
 * join leaves the ensemble as it was. */
TL_API tl_status tl_ensemble_add(tl_ensemble *ensemble, tl_model *model, tl_error *error);

/* How many have joined. */
TL_API size_t tl_ensemble_members(const tl_ensemble *ensemble);

/* The metrics of the mean predictions: those of a model whose probabilities (cross-entropies), or values (other losses), are the
 * means of the members'. The loss has the settings of the first member. Fails before one has joined, and as tl_evaluate does. */
TL_API tl_status tl_ensemble_evaluate(const tl_ensemble *ensemble, tl_metrics *metrics, tl_error *error);

/* The mean predictions themselves, into y: (count, out_length, out_channels), see tl_predict. */
TL_API tl_status tl_ensemble_predict(const tl_ensemble *ensemble, tl_tensor *y, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
