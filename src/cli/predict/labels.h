/* labels.h: networks that predict several labels at a time. Compiled once for each precision (commands.h). */
#ifndef CLI_LABELS_H
#define CLI_LABELS_H

#include "cli/commands.h"

#include <tapline/file.h>

#include <jansson.h>

/* Returns the list of their names: the headings of target values in the training set, or numbers from 0. */
json_t *IN_PRECISION(labels_names)(const tl_model_info *info, size_t labels);

/* counts: (labels, 2, 2) [OUT] for each label how often it is not given or given (row), and not predicted or predicted (column). y:
 * (count, length, labels) probabilities. */
void IN_PRECISION(labels_count)(const tl_tensor *y, const tl_dataset *data, size_t *counts);

#endif
