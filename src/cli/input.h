/* input.h: standard input as data. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <tapline/dataset.h>

/* Returns the path to read instead of `path`: for "-", that of a copy of standard input; otherwise `path` itself. cfg: how it is
 * read;
 * "-" needs a format, and cannot be a table of files. The copy disappears when the command ends. It has at most twice the bytes of
 * cfg->max_memory: a number takes more characters in a text than bytes in memory. */
const char *input_open(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Replaces the name of the copy in a message by "standard input". */
void input_name(tl_error *error);

#endif
