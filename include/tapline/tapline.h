/* tapline.h: small one-dimensional convolutional networks on sequence data. The one header to include.
 *
 * To read, in this order: base.h (errors), tensor.h (arrays), dataset.h (series with labels or values), model.h (a network: build,
 * compile, run, step), layers.h (what it is built of), train.h (fit, evaluate, predict), file.h (save, load). */
#ifndef TAPLINE_H
#define TAPLINE_H

#include <tapline/base.h>
#include <tapline/dataset.h>
#include <tapline/file.h>
#include <tapline/layers.h>
#include <tapline/model.h>
#include <tapline/tensor.h>
#include <tapline/train.h>

/* for more: optimizers and schedules, variations of series, logs, several models as one, networks as JSON, series
 * that come step by step */
#include <tapline/architecture.h>
#include <tapline/augment.h>
#include <tapline/csv_log.h>
#include <tapline/ensemble.h>
#include <tapline/find_learning_rate.h>
#include <tapline/optimizer.h>
#include <tapline/stream.h>

/* to go below: layers of your own and their gradients, a convolution without a model, random numbers, the processor */
#include <tapline/conv1d.h>
#include <tapline/gradient_check.h>
#include <tapline/layer.h>
#include <tapline/machine.h>
#include <tapline/random.h>

#endif
