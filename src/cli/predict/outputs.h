/* outputs.h: prints the outputs of a network as lines of CSV to stdout: for classes the predicted class and all numbers, else the
 * values. Compiled once for each precision (commands.h).
 */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/commands.h"

#include <tapline/dataset.h>

#include <jansson.h>

/* Both end a line, whose beginning may already be printed. `data` has the names of the classes. */
void IN_PRECISION(outputs_head)(const tl_dataset *data, size_t outputs);
void IN_PRECISION(outputs_row)(const tl_dataset *data, const tl_real *y, size_t outputs);

/* Print one field: the name of output c (of its class, if there are classes); the name of a class; a number with all its digits. */
void IN_PRECISION(outputs_name)(const tl_dataset *data, size_t c, size_t outputs);
void IN_PRECISION(outputs_class)(const tl_dataset *data, size_t class);
void IN_PRECISION(outputs_number)(double value);

/* The same as JSON. */
json_t *IN_PRECISION(outputs_class_json)(const tl_dataset *data, size_t class);
json_t *IN_PRECISION(outputs_numbers_json)(const tl_real *y, size_t count);

enum { OUTPUTS_DIGITS = sizeof(tl_real) == sizeof(float) ? 9 : 17 }; /* enough to distinguish any two numbers */

#endif
