/* `tapline help`. */
#include "cli/help/help.h"

#include "cli/commands.h"

#include <string.h>

typedef struct help_settings {
    common_settings common;            /* operands: the words of a command */
    const char *completion, *complete; /* NULL: not given */
    bool man;
} help_settings;

static help_settings settings = {.common = {.precision = "f32"}};

#define FIELD(name) offsetof(help_settings, name)

static const option_spec help_options[] = {
    {"man", NULL, OPTION_FLAG, FIELD(man), 0, 0, NULL, "print the manual page in mdoc, for man: that of COMMAND, or tapline(1)"},
    {"completion", "SHELL", OPTION_CHOICE, FIELD(completion), 0, 0, shell_name,
     "print a script for this shell that completes commands, options, names and files"},
    {"complete", "WORD", OPTION_ANY_TEXT, FIELD(complete), 0, 0, NULL,
     "for these scripts: print what completes WORD after COMMAND, which may have arguments (after --); :files are names of files"},
    {0},
};

static void help_line(FILE *to, const char *name, const char *summary) {
    print_wrapped(to, 24, fprintf(to, "  tapline %s ", name), summary);
}

void help_print(FILE *to) {
    fprintf(to, "tapline trains small one-dimensional convolutional networks on series.\n\n  tapline train mine.csv --test "
                "other.csv --out mine.safetensors\n  tapline predict mine.safetensors new.csv\n\n");
    for (size_t i = 0; command_at(i); i++) help_line(to, command_at(i)->name, command_at(i)->summary);
    help_line(to, "--version", "Print the version.");
}

size_t first_clause(const char *text, const char *ends) {
    size_t length = 0;
    for (; text[length]; length++) {
        const char next = text[length + 1];
        if (strchr(ends, text[length]) && (next == ' ' || next == '\n' || !next)) break;
        if (text[length] == ' ' && next == '(') break;
    }
    return length;
}

/* Returns false, after a message, if the options contradict each other or the words. */
static bool check(const help_settings *self) {
    const char *other = self->man ? "--man" : self->complete ? "--complete" : self->common.operand[0];
    if (self->completion && other)
        complain("help", "--completion %s: contradicts %s", self->completion, other);
    else if (self->complete && self->man)
        complain("help", "--complete %s: contradicts --man", self->complete);
    else
        return true;
    return false;
}

/* Returns the command that the words name, and nothing more; NULL after a message. */
static const command *named(int count, const char *const *words) {
    int used;
    const command *found = command_find(count, words, &used);
    if (!found || used == count) return found;
    complain("help", "unexpected argument %s after %s", words[used], found->name);
    return NULL;
}

static int help_run(const void *given) {
    const help_settings *self = given;
    const char *const *words = self->common.operand;
    int count = 0;
    if (!check(self)) return EXIT_USAGE;
    while (count < MAX_OPERANDS && words[count]) count++;
    if (self->complete) {
        completion_candidates(count, words, self->complete);
        return EXIT_DONE;
    }
    const command *found = count > 0 ? named(count, words) : NULL;
    if (count > 0 && !found) return EXIT_USAGE;
    if (self->completion)
        completion_print(self->completion);
    else if (self->man)
        manual_print(found);
    else if (found)
        options_help(found);
    else
        help_print(stdout);
    return EXIT_DONE;
}

const command help_command = {
    .name = "help",
    .operands = "[COMMAND]",
    .max_operands = MAX_OPERANDS,
    .summary = "List the commands, or the options of a command.",
    .example = "tapline help train",
    .options = help_options,
    .settings = &settings,
    .alone = true,
    .run_f32 = help_run,
    .run_f64 = help_run,
};
