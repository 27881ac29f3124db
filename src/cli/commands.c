/* The table of commands. */
#include "cli/commands.h"

const command *command_at(size_t index) {
    static const command *const commands[] = {&train_command,      &eval_command,       &predict_command,      &stream_command,
                                              &info_command,       &import_command,     &export_command,       &quantize_command,
                                              &bench_conv_command, &bench_step_command, &bench_stream_command, &bench_read_command};
    return index < sizeof commands / sizeof *commands ? commands[index] : NULL;
}
