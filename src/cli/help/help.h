/* help.h: what `tapline help` prints: the help of a command, manual pages, and completions for shells. All of it comes from the
 * table of commands and their tables of options. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/options.h"

/* Prints the list of commands. */
void help_print(FILE *to);

/* Prints the manual page of a command in mdoc(7), or tapline(1) if it is NULL. */
void manual_print(const command *self);

/* Prints the script that completes commands and options in this shell, one of shell_name. */
void completion_print(const char *shell);
const char *shell_name(size_t index);

/* For these scripts: prints what may follow the words after "tapline" and begins with `word`: on each line a candidate, then, if it
 * has one, a tab and its description. The line ":files" stands for the names of files. */
void completion_candidates(int count, const char *const *words, const char *word);

/* Returns the number of bytes of `text` before the first character of `ends` that is followed by a blank or the end of the text, or
 * before the first " (". */
size_t first_clause(const char *text, const char *ends);

#endif
