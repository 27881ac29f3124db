/* input.h: standard input as data. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <tapline/base.h>

/* Returns the path to read instead of `path`: for "-", whose format must be given, that of a copy of standard input; otherwise
 * `path` itself. The copy disappears when the command ends. */
const char *input_open(const char *path, const char *format, tl_error *error);

/* Replaces the name of the copy in a message by "standard input". */
void input_name(tl_error *error);

#endif
