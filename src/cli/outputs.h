/* outputs.h: what a network gives, as lines of CSV on stdout: of classes the largest one and all numbers, else the values. Compiled
 * once for each precision (commands.h).
 */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/commands.h"

#include <tapline/dataset.h>

#include <jansson.h>

/* Both end a line, of which the beginning may have been printed. `data` says what the classes are called. */
void IN_PRECISION(outputs_head)(const tl_dataset *data, size_t outputs);
void IN_PRECISION(outputs_row)(const tl_dataset *data, const tl_real *y, size_t outputs);

/* One field: how output c of so many is called, by its class where there are some; what a class is called; a number with all its
 * digits. */
void IN_PRECISION(outputs_name)(const tl_dataset *data, size_t c, size_t outputs);
void IN_PRECISION(outputs_class)(const tl_dataset *data, size_t class);
void IN_PRECISION(outputs_number)(double value);

/* The same as JSON. */
json_t *IN_PRECISION(outputs_class_json)(const tl_dataset *data, size_t class);
json_t *IN_PRECISION(outputs_numbers_json)(const tl_real *y, size_t count);

enum { OUTPUTS_DIGITS = sizeof(tl_real) == sizeof(float) ? 9 : 17 }; /* that tell any two numbers apart */

#endif
