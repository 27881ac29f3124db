/* activation_map.h: which steps of a series speak for a class. Compiled once for each precision (commands.h). */
#ifndef CLI_ACTIVATION_MAP_H
#define CLI_ACTIVATION_MAP_H

#include "cli/commands.h"

#include <tapline/model.h>

enum { ACTIVATION_POINTS = 250 };

/* A network up to its global average pool, and the weights of the dense layer behind it (Zhou et al. 2016, equation 2). */
typedef struct activation_map activation_map;

/* Returns NULL if the network does not end in a global average pool and a dense layer, or if the series are too long for memory.
 * Free it with activation_map_free. */
activation_map *IN_PRECISION(activation_map_make)(const tl_model *model, const tl_dataset *data);
void IN_PRECISION(activation_map_free)(activation_map *self);

/* Writes how much each part of a series speaks for a class: 0 (not, or against it) … 1 (the most), at most ACTIVATION_POINTS parts
 * of the same length. Returns their number, 0 on failure. */
size_t IN_PRECISION(activation_map_of)(activation_map *self, const tl_dataset *data, size_t series, size_t class,
                                       double heat[ACTIVATION_POINTS]);

#endif
