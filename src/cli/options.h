/* options.h: a table of the options of a command; it is used for parsing, checks, help and suggestions. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <tapline/dataset.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit codes of every command. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* The argument of an option, and the type of its field. */
typedef enum option_kind {
    OPTION_FLAG,           /* bool: no argument */
    OPTION_INTEGER,        /* int64_t: a whole number from minimum to maximum */
    OPTION_INTEGER_OR_ALL, /* int64_t: the same, or "all", which is OPTION_ALL */
    OPTION_POSITIVE,       /* double: finite, above 0 */
    OPTION_FRACTION,       /* double: from 0 to 1, 1 excluded */
    OPTION_FACTOR,         /* double: the same without 0 */
    OPTION_CHOICE,         /* const char *: one of the names from `choice` */
    OPTION_CHOICE_OR_JSON, /* const char *: the same, or the name of a .json file */
    OPTION_CHOICES,        /* const char *: some of these, separated by commas */
    OPTION_SHAPE,          /* option_shape: LENGTHxCHANNELS */
    OPTION_TEXT,           /* const char *: not empty */
    OPTION_ANY_TEXT,       /* const char * */
    OPTION_GROUP           /* begins a group of the help: `name` is its title and `help` an example */
} option_kind;

enum { OPTION_ALL = -1 };

/* Of a series; zero: not given. */
typedef struct option_shape {
    size_t length, channels;
} option_shape;

/* Returns the name with that index, NULL after the last one: a function of the library where possible. */
typedef const char *(*option_choice)(size_t index);

typedef struct option_spec {
    const char *name;     /* without dashes; NULL ends the table */
    const char *argument; /* as in the help; NULL for a flag */
    option_kind kind;
    size_t field;             /* offset in the command's settings */
    int64_t minimum, maximum; /* OPTION_INTEGER, OPTION_INTEGER_OR_ALL */
    option_choice choice;
    const char *help; /* the help wraps it */
} option_spec;

/* A row that begins a group of options. */
#define OPTIONS(title, example)                                                                                                    \
    { title, NULL, OPTION_GROUP, 0, 0, 0, NULL, example }

enum { MAX_OPERANDS = 101 };

/* The first member of the settings of every command. A field keeps its default if its option is not given. */
typedef struct common_settings {
    const char *command;               /* its name, for messages */
    const char *operand[MAX_OPERANDS]; /* NULL where not given */
    const char *precision;             /* "f32" or "f64" */
    int64_t threads;                   /* 0: as many as the machine offers */
    int64_t max_memory;                /* MB; 0: tl_memory_limit. For commands with MAX_MEMORY_OPTION */
    bool json;
    int arguments; /* the command line after the name of the command */
    char **argument;
} common_settings;

/* A row of the table of a command that reads files of others: small files may describe networks and data of any size. */
#define MAX_MEMORY_OPTION                                                                                                          \
    {                                                                                                                              \
        "max-memory", "MB", OPTION_INTEGER, offsetof(common_settings, max_memory), 1, INT32_MAX, NULL,                             \
            "limit of the memory of a network in megabytes; data may take half of it (half of the machine's memory, at most "      \
            "4000)"                                                                                                                \
    }

/* Returns that limit in bytes. */
size_t max_memory(const common_settings *settings);

typedef struct command {
    const char *name;     /* such as "train" or "bench conv" */
    const char *operands; /* as in the help, such as "[DATA]" */
    size_t min_operands, max_operands;
    const char *summary;        /* one sentence */
    const char *example;        /* a line that works after file names are replaced */
    const char *details;        /* last paragraph of the help, NULL: none */
    const option_spec *options; /* its own options; every command also has the common options, --threads … --help */
    void *settings;             /* begins with common_settings; initially the defaults */
    const char *(*choose_precision)(
        void);          /* returns the default precision, after settings->operand is set; NULL after an error message. (f32) */
    bool writes_files;  /* it finishes even if nobody reads its output */
    bool alone;         /* it computes nothing: of the common options it has only --help */
    bool runs_in_ranks; /* it may run in several processes that mpirun starts */
    int (*run_f32)(const void *settings);
    int (*run_f64)(const void *settings);
} command;

const char *precision_name(size_t index);

/* Returns the command's own options, then the common ones, without the rows that begin groups; NULL after the last one. */
const option_spec *command_option(const command *self, size_t index);

/* Returns the common options of a command; NULL after the last one. */
const option_spec *common_option(const command *self, size_t index);

/* Returns the letter of an option, such as 'o' for --out; '\0': none. */
char option_letter(const char *name);

/* The names of enumerations, for options: tl_missing_policy, tl_header, tl_window_target, tl_engine. */
const char *missing_name(size_t index);
const char *header_name(size_t index);
const char *window_target_name(size_t index);
const char *engine_name(size_t index);

/* Fills command->settings from argv[1] on. Returns whether to continue; otherwise *code is the exit code, after the help or an
 * error message was printed. */
bool options_parse(const command *self, int argc, char **argv, int *code);

/* Prints the command's help to stdout. */
void options_help(const command *self);

/* Prints a text from column `indent` on, in lines of less than 80 columns; `used`: columns of the first line that are already
 * used. */
void print_wrapped(FILE *to, int indent, int used, const char *text);

/* Returns the name that is most similar to `text`; NULL if there is none. */
const char *suggest(const char *text, option_choice choice);

/* For tl_read_cfg.warn: prints a line to stderr, with the name of the command that runs. `user` is ignored. */
void complain_of_data(const char *text, void *user);

/* Prints a text from a file, such as a class name or a path, in a form that is safe for a terminal: control characters become \x1b
 * and the like, so that they can neither move the cursor nor imitate lines. */
void print_shown(FILE *to, const char *text);
void print_part(FILE *to, const char *text, size_t length);

/* Prints "tapline NAME: …" as one line to stderr, in that form; NULL: no command. */
void complain(const char *name, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints the message of an error in that way, if there is one. Returns the exit code. */
int exit_code(const char *name, const tl_error *error);

/* Returns whether a path has this ending, such as ".json", and more than that. */
bool has_ending(const char *path, const char *ending);

/* Returns the meaning of --normalize (NULL: not given) and --raw, which is --normalize none. Fails if they contradict each other.
 */
tl_normalization options_normalization(const char *name, bool raw, tl_error *error);
const char *normalization_name(size_t index);

#endif
