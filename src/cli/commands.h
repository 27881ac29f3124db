/* commands.h: the commands there are.
 *
 * What runs a command is compiled twice, against the float and against the double library, as the library itself is. Each such
 * source has one linked function, named through IN_PRECISION, and everything else in it is static; main.c picks one of the two
 * by --precision. Options and reports know no tl_real and are compiled once.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/options.h"

#ifdef TAPLINE_F64
#define IN_PRECISION(name) name##_f64
#else
#define IN_PRECISION(name) name##_f32
#endif

extern const command train_command;
extern const command eval_command, predict_command, stream_command, info_command, import_command, export_command;
extern const command bench_conv_command, bench_step_command, bench_stream_command, bench_read_command; /* in bench/ */

/* All of them, in the order of the help; NULL behind the last. */
const command *command_at(size_t index);

#endif
