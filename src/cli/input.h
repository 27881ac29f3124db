/* input.h: standard input as data. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <tapline/base.h>

/* The path to read in place of `path`: where this is "-", that of a copy of standard input, whose format must be given; else
 * itself. A copy is gone when the command ends. */
const char *input_open(const char *path, const char *format, tl_error *error);

/* What is said of the copy is said of standard input. */
void input_name(tl_error *error);

#endif
