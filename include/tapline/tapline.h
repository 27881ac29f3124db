/* tapline.h: small one-dimensional convolutional networks for series. This is the one header to include.
 *
 * Read the headers in this order: base.h (errors), tensor.h (arrays), dataset.h (series with labels or values), model.h (a network:
 * build, compile, run, step), layers.h (its layers), train.h (train, evaluate, predict), file.h (save, load). */
#ifndef TAPLINE_H
#define TAPLINE_H

#include <tapline/base.h>
#include <tapline/dataset.h>
#include <tapline/file.h>
#include <tapline/layers.h>
#include <tapline/model.h>
#include <tapline/tensor.h>
#include <tapline/train.h>

/* for more: optimizers and schedules, augmentation, logs, ensembles, networks as JSON and as C, streams */
#include <tapline/architecture.h>
#include <tapline/augment.h>
#include <tapline/c_export.h>
#include <tapline/csv_log.h>
#include <tapline/ensemble.h>
#include <tapline/exchange.h>
#include <tapline/find_learning_rate.h>
#include <tapline/onnx.h>
#include <tapline/optimizer.h>
#include <tapline/quantize.h>
#include <tapline/stream.h>

/* advanced: layers of your own and their gradients, a convolution without a model, random numbers, the processor, the
 * time of layers */
#include <tapline/conv1d.h>
#include <tapline/gradient_check.h>
#include <tapline/layer.h>
#include <tapline/machine.h>
#include <tapline/profile.h>
#include <tapline/random.h>
#include <tapline/ridge.h>

#endif
