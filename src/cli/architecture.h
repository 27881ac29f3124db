/* architecture.h: the networks that commands know by name. */
#ifndef CLI_ARCHITECTURE_H
#define CLI_ARCHITECTURE_H

#include "cli/commands.h"

#include <tapline/dataset.h>
#include <tapline/model.h>

/* A ready-made network and the settings that were published with it; the table ends with that of networks in files. */
typedef struct architecture {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs); /* NULL: from the file of that name */
    size_t batch;
    bool tenth; /* the batch is a tenth of the series, from 2 to `batch` */
    int epochs;
    const char *schedule; /* its name */
    int members;          /* networks whose outputs are averaged */
} architecture;

/* The name of that index; NULL behind the last. */
const char *architecture_name_f32(size_t index);
const char *architecture_name_f64(size_t index);

/* The entry of that name, that of files for any other. */
const architecture *IN_PRECISION(architecture_find)(const char *name);

/* Adds the network of that name, or in the file of that name, to the model; see tapline/layers.h, "architectures". */
tl_node IN_PRECISION(architecture_build)(const char *name, tl_model *model, tl_node x, size_t outputs);

/* The same with the input, as long and wide as the data's series, and an output for each class, or each of the
 * values at a time. */
tl_node IN_PRECISION(network_build)(tl_model *model, const tl_dataset *data, const char *name);

/* tl_dataset_pad within the limit of memory for data: one long series makes all of them as long. */
void IN_PRECISION(pad_within)(tl_dataset *data, size_t length, const common_settings *settings, tl_error *error);

/* The loss of that name; NULL: the one that the data asks for. */
tl_loss_kind IN_PRECISION(network_loss)(const tl_dataset *data, const char *name, tl_error *error);

/* The name of a loss, for options. */
const char *loss_name(size_t index);

#endif
