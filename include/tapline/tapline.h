/* tapline.h: small one-dimensional convolutional networks on sequence data. The one header to include. */
#ifndef TAPLINE_H
#define TAPLINE_H

/* to train and use a model */
#include <tapline/base.h>
#include <tapline/csv_log.h>
#include <tapline/dataset.h>
#include <tapline/file.h>
#include <tapline/find_learning_rate.h>
#include <tapline/layers.h>
#include <tapline/model.h>
#include <tapline/train.h>

/* to go below it */
#include <tapline/architecture.h>
#include <tapline/augment.h>
#include <tapline/conv1d.h>
#include <tapline/gradient_check.h>
#include <tapline/layer.h>
#include <tapline/machine.h>
#include <tapline/optimizer.h>
#include <tapline/random.h>
#include <tapline/tensor.h>

#endif
