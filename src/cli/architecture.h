/* architecture.h: the networks that commands know by name. */
#ifndef CLI_ARCHITECTURE_H
#define CLI_ARCHITECTURE_H

#include "cli/commands.h"

#include <tapline/architecture.h>
#include <tapline/dataset.h>
#include <tapline/model.h>

/* Adds the network with that name, or in that file, to the model; see tapline/layers.h, "architectures". */
tl_node IN_PRECISION(architecture_build)(const char *name, tl_model *model, tl_node x, size_t outputs);

/* The same with an input of the data's length and channels, and an output for each class or target value. */
tl_node IN_PRECISION(network_build)(tl_model *model, const tl_dataset *data, const char *name);

/* tl_dataset_pad within the memory limit of data, since one long series makes all series as long. */
void IN_PRECISION(pad_within)(tl_dataset *data, size_t length, const common_settings *settings, tl_error *error);

/* Returns the loss with that name; NULL: the default for the data. */
tl_loss_kind IN_PRECISION(network_loss)(const tl_dataset *data, const char *name, tl_error *error);

/* Returns the name of a loss, for options. */
const char *loss_name(size_t index);

#endif
