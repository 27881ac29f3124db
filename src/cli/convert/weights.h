/* weights.h: the report of `tapline import` and `tapline export` about PyTorch weights. */
#ifndef CLI_WEIGHTS_H
#define CLI_WEIGHTS_H

#include "cli/predict/model.h"

#include <jansson.h>

/* Copies the options for reading data to the configuration. */
void IN_PRECISION(import_reading)(const weights_settings *settings, tl_read_cfg *cfg, tl_error *error);

/* Reads the data that goes with what is imported: operand 1, after input_open. */
tl_dataset *IN_PRECISION(import_data)(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* `tapline import` of a safetensors file; returns the exit code. */
int import_weights_f32(const weights_settings *asked);
int import_weights_f64(const weights_settings *asked);

/* For tl_weights_cfg.matched: adds a pair to a list. */
void weights_pair(const char *module, const char *layer, void *list);

/* Prints a report as text: an object with "model", "parameters", "precision", "weights" and "layers", the list of pairs. */
void weights_print(const json_t *report);

#endif
