/* scales.h: how a model's series and target values are scaled, which it takes from the data that it is trained on. */
#ifndef TL_SCALES_H
#define TL_SCALES_H

#include <tapline/train.h>

/* Keeps how the series of the data are scaled, so that files say it. The first training also says how outputs stand for target
 * values (tl_model_target_scale), which later ones keep: they go on from what these outputs mean. */
tl_status tl_keep_scales(tl_model *model, const tl_dataset *data, tl_error *error);

/* tl_update_statistics where a layer has features that are fixed before training (tl_preparation.waits). */
tl_status tl_draw_features(tl_model *model, const tl_dataset *data, tl_error *error);

#endif
