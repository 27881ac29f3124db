/* commands.h: the table of commands.
 *
 * The code of a command is compiled twice, against the float and the double library, like the library itself. Each such source has
 * one linked function, named through IN_PRECISION; everything else in it is static. main.c chooses one of the two by --precision.
 * Options and reports do not use tl_real and are compiled once.
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
extern const command eval_command, predict_command, stream_command, info_command, import_command, export_command, quantize_command;
extern const command convert_command, help_command;
extern const command plot_command, show_command;
extern const command bench_conv_command, bench_step_command, bench_stream_command, bench_read_command; /* in bench/ */

/* Returns all commands, in the order of the help; NULL after the last one. */
const command *command_at(size_t index);

/* Returns the command whose name, of one or two words, these words begin with; NULL after an error message. count: at least 1;
 * *used [OUT]: the number of words of the name. */
const command *command_find(int count, const char *const *words, int *used);

#endif
