/* scales.h: what a model takes from its training data before training: the scaling of series and target values, features, and
 * statistics. */
#ifndef TL_SCALES_H
#define TL_SCALES_H

#include <tapline/exchange.h>
#include <tapline/train.h>

#include "train/shards.h"

/* Stores the scaling of the data's series in the model, so that model files contain it. The first training also sets the scale of
 * target values (tl_model_target_scale); later trainings keep it, because the outputs already have this scale. */
tl_status tl_keep_scales(tl_model *model, const tl_dataset *data, tl_error *error);

/* Calls tl_update_statistics if a layer has features that must be known before training (tl_preparation.waits). */
tl_status tl_draw_features(tl_model *model, const tl_dataset *data, tl_error *error);

/* tl_update_statistics, with the batches divided among the ranks of the exchange (NULL: one process). An error of one rank is one
 * of all. */
tl_status tl_update_statistics_among(tl_model *model, const tl_dataset *data, const tl_exchange *exchange, tl_error *error);

/* The same after a training with synchronised batch norm: with batches of its size, divided into its shards, whose layers use the
 * statistics of the whole batch. Layers that wait (tl_preparation) have learnt before the training and do not change. If a
 * layer of another kind learns from the data, all learn as by tl_update_statistics_among. `by_batch`: on at least one rank, the
 * series are not in memory. */
tl_status tl_update_statistics_together(tl_model *model, const tl_dataset *data, tl_shards *shards, bool by_batch, tl_error *error);

#endif
