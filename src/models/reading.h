/* reading.h: the configuration for reading data (tl_read_cfg) as a text of a model file. */
#ifndef TL_READING_H
#define TL_READING_H

#include <tapline/dataset.h>

#include <jansson.h>

/* Returns what differs from the defaults, except the format of the file; NULL if memory is short. */
json_t *tl_reading_describe(const tl_read_cfg *cfg);

/* Reads it into a zeroed configuration, which is released below in any case. `path`: of the file, for messages. */
tl_status tl_reading_parse(const json_t *object, const char *path, tl_read_cfg *cfg, tl_error *error);
void tl_reading_release(tl_read_cfg *cfg);

#endif
