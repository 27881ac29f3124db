/* outputs.h: what a network gives, as lines of CSV on stdout: of classes the largest one and all numbers, else the values. Compiled
 * once for each precision (commands.h).
 */
#ifndef CLI_OUTPUTS_H
#define CLI_OUTPUTS_H

#include "cli/commands.h"

#include <tapline/dataset.h>

/* Both end a line, of which the beginning may have been printed. `data` says what the classes are called. */
void IN_PRECISION(outputs_head)(const tl_dataset *data, size_t outputs);
void IN_PRECISION(outputs_row)(const tl_dataset *data, const tl_real *y, size_t outputs);

#endif
