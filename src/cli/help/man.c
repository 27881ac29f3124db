/* man.c: manual pages in mdoc(7), from the tables of commands and options. */
#include "cli/commands.h"
#include "cli/help/help.h"

#include <tapline/base.h>

#include <ctype.h>
#include <string.h>

/* Of the release (RELEASING.md); tapline(3) and tapline-files(5) have it too. A page without a date is an error of mdoc. */
static const char page_date[] = "November 30, 2026";

enum { LINE = 79, WORD = 400 };

/* ---- text ---- */

static int column; /* of the current line of the page, in bytes */

static void end_line(void) {
    if (column > 0) putchar('\n');
    column = 0;
}

/* Writes what mdoc shows as the character at the beginning of the text to `to`, and returns the character's number of bytes.
 * `literal`: a hyphen is that of an option, which can be copied to a shell. */
static size_t escape_character(char to[16], const char *text, bool literal) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] >= 0xE0 && bytes[1] && bytes[2]) {
        snprintf(to, 16, "\\[u%04X]", (bytes[0] & 0x0Fu) << 12 | (bytes[1] & 0x3Fu) << 6 | (bytes[2] & 0x3Fu));
        return 3;
    }
    if (bytes[0] >= 0xC0 && bytes[1]) {
        snprintf(to, 16, "\\[u%04X]", (bytes[0] & 0x1Fu) << 6 | (bytes[1] & 0x3Fu));
        return 2;
    }
    const char *other = *text == '\\'             ? "\\e"
                        : *text == '"'            ? "\\(dq"
                        : *text == '~'            ? "\\(ti"
                        : *text == '^'            ? "\\(ha"
                        : *text == '\n'           ? " "
                        : *text == '-' && literal ? "\\-"
                                                  : NULL;
    snprintf(to, 16, "%.*s", other ? 8 : 1, other ? other : text);
    return 1;
}

/* Returns the first `length` bytes of a text in the form that mdoc shows as they are, in memory of the next call. */
static const char *escape(const char *text, size_t length, bool literal) {
    static char escaped[4 * WORD];
    size_t used = 0;
    for (size_t i = 0; i < length && used < sizeof escaped - 16;) {
        i += escape_character(escaped + used, text + i, literal);
        used += strlen(escaped + used);
    }
    return escaped;
}

static void print_literal(const char *text) { fputs(escape(text, strlen(text), true), stdout); }

/* Whether a sentence ends with this word: mdoc wants a new line then. */
static bool ends_sentence(const char *word, size_t length) {
    while (length > 0 && word[length - 1] == ')') length--;
    return length > 1 && strchr(".!?", word[length - 1]) && word[length - 2] != '.';
}

static void print_word(const char *word, size_t length) {
    const char *dashes = strstr(word, "--");
    const char *shown = escape(word, length, *word == '-' || (dashes && dashes < word + length));
    if (column > 0 && column + 1 + (int)strlen(shown) > LINE) end_line();
    if (column > 0)
        column += printf(" ");
    else if (strchr(".'", *word))
        column += printf("\\&");
    column += printf("%s", shown);
    if (ends_sentence(word, length)) end_line();
}

/* Prints what is between backquotes as one literal, with the punctuation around it, and returns the text after it. */
static const char *print_quoted(const char *text) {
    const size_t opening = strcspn(text, "`"), length = strcspn(text + opening + 1, "`");
    end_line();
    printf(".Ql ");
    for (size_t i = 0; i < opening; i++) printf("%c ", text[i]);
    printf("\"%s\"", escape(text + opening + 1, length, true));
    for (text += opening + 1 + length + 1; *text && !isspace((unsigned char)*text); text++) printf(" %c", *text);
    putchar('\n');
    return text;
}

/* Prints the words of a text; `...` is a literal. */
static void print_words(const char *text) {
    while (*(text += strspn(text, " \n"))) {
        const size_t length = strcspn(text, " \n");
        if (*text == '`' || (*text == '(' && text[1] == '`')) {
            text = print_quoted(text);
            continue;
        }
        print_word(text, length);
        text += length;
    }
}

static void print_text(const char *text) {
    print_words(text);
    end_line();
}

/* ---- parts of a page ---- */

/* Prints the name of a page, such as tapline-bench-conv; NULL: tapline. */
static void print_page_name(const command *self, bool capitals) {
    char name[WORD];
    snprintf(name, sizeof name, self ? "tapline-%s" : "tapline", self ? self->name : "");
    for (char *at = name; *at; at++) {
        if (*at == ' ') *at = '-';
        putchar(capitals ? toupper((unsigned char)*at) : *at);
    }
}

/* `about`: the text after the name, up to the end of its first clause. */
static void print_head(const command *self, const char *about) {
    printf(".\\\" Written by `tapline help --man` of tapline %s, from its tables of options.\n.Dd %s\n.Dt ", tl_version(),
           page_date);
    print_page_name(self, true);
    printf(" 1\n.Os\n.Sh NAME\n.Nm ");
    print_page_name(self, false);
    printf("\n.Nd %c%s\n", tolower((unsigned char)*about), escape(about + 1, first_clause(about, ".:;") - 1, false));
}

/* Prints the operands of a command, such as "MODEL... [DATA]". */
static void print_operands(const char *text) {
    while (*(text += strspn(text, " "))) {
        const size_t length = strcspn(text, " ");
        char word[WORD];
        snprintf(word, sizeof word, "%.*s", (int)length, text);
        const bool optional = *word == '[';
        char *name = word + optional, *many = strstr(word, "...");
        if (many) *many = '\0';
        name[strcspn(name, "]")] = '\0';
        printf(".%s %s%s\n", optional ? "Op Ar" : "Ar", name, many ? " ..." : "");
        text += length;
    }
}

static void print_choices(option_choice choice) {
    if (column > 0) column += printf(";");
    print_words("choices:");
    end_line();
    for (size_t i = 0; choice(i); i++) {
        if (i > 0 && !choice(i + 1)) printf("and\n");
        printf(".Cm ");
        print_literal(choice(i));
        printf("%s\n", choice(i + 1) && choice(i + 2) ? " ," : "");
    }
}

static void print_option(const option_spec *option) {
    const char letter = option_letter(option->name);
    printf(".It ");
    if (letter) printf("Fl %c , ", letter);
    printf("Fl \\-");
    print_literal(option->name);
    if (option->argument) printf(" Ar %s", option->argument);
    putchar('\n');
    print_words(option->help);
    if (option->choice) print_choices(option->choice);
    end_line();
}

static void print_example(const char *text) {
    printf(".Dl ");
    print_literal(text);
    putchar('\n');
}

/* Begins a group of options, of which that before has ended. */
static void begin_group(const option_spec *option) {
    printf(".Ss %s\n", option->name);
    print_example(option->help);
}

static void print_common(const command *self, const char *title) {
    const option_spec *option;
    printf("%s.Bl -tag -width Ds\n", title);
    for (size_t i = 0; (option = common_option(self, i)); i++) print_option(option);
    printf(".El\n");
}

static void print_options(const command *self) {
    const option_spec *option = self->options;
    bool open = false;
    printf(".Sh OPTIONS\n");
    print_text("Defaults are in parentheses.");
    for (; option->name; option++) {
        const bool group = option->kind == OPTION_GROUP;
        if (open && group) printf(".El\n");
        if (group) begin_group(option);
        if (group || !open) printf(".Bl -tag -width Ds\n");
        if (!group) print_option(option);
        open = true;
    }
    if (open) printf(".El\n");
    print_common(self, self->options->kind == OPTION_GROUP ? ".Ss In all commands\n" : ".Pp\nAs in all commands:\n");
}

static void print_exit_status(void) {
    printf(".Sh EXIT STATUS\n.Bl -tag -width Ds\n.It 0\n");
    print_text("Done, also after Ctrl-C: the results so far are reported.");
    printf(".It 1\n");
    print_text("Failed: data that cannot be read, a loss that is not finite, or output that cannot be written. Results so far are "
               "still reported and saved.");
    printf(".It 2\n");
    print_text("Wrong usage: an unknown option or command, or a value that is not allowed.");
    printf(".El\n");
}

/* ---- pages ---- */

static void print_command_page(const command *self) {
    print_head(self, self->summary);
    printf(".Sh SYNOPSIS\n.Nm tapline %s\n.Op Ar options\n", self->name);
    print_operands(self->operands);
    printf(".Sh DESCRIPTION\n");
    print_text(self->summary);
    if (self->details) {
        printf(".Pp\n");
        print_text(self->details);
    }
    print_options(self);
    print_exit_status();
    printf(".Sh EXAMPLES\n");
    print_example(self->example);
    printf(".Sh SEE ALSO\n.Xr tapline 1 ,\n.Xr tapline 3 ,\n.Xr tapline-files 5\n");
}

static void print_commands(void) {
    const command *self;
    printf(".Bl -tag -width Ds\n");
    for (size_t i = 0; (self = command_at(i)); i++) {
        printf(".It Ic %s\n", self->name);
        print_text(self->summary);
        printf("See\n.Xr ");
        print_page_name(self, false);
        printf(" 1 .\n");
    }
    printf(".El\n");
}

static void print_environment(void) {
    static const char *const variables[][2] = {
        {"TAPLINE_ISA", "The highest instruction set to use: baseline, avx2 or avx512 (that of the processor)."},
        {"TAPLINE_TUNING", "The processor for which sizes are tuned: common or intel (that of the machine)."},
        {"OMP_WAIT_POLICY",
         "How threads wait. If neither it nor GOMP_SPINCOUNT is set, the command sets GOMP_SPINCOUNT, KMP_BLOCKTIME and "
         "OPENBLAS_NUM_THREADS for itself, so that threads that wait take no time from other programs."},
        {"TMPDIR", "The folder for the files of `tapline bench read` (/tmp)."}};
    printf(".Sh ENVIRONMENT\n.Bl -tag -width Ds\n");
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        printf(".It Ev %s\n", variables[i][0]);
        print_text(variables[i][1]);
    }
    printf(".El\n");
}

static void print_main_page(void) {
    print_head(NULL, "Train small one-dimensional convolutional networks on series.");
    printf(".Sh SYNOPSIS\n.Nm\n.Ar command\n.Op Ar options\n.Op Ar\n.Nm\n.Fl \\-version\n.Sh DESCRIPTION\n");
    print_text(
        "Series are readings of sensors, heartbeats, gestures and the like. Each has a label or a value, and a network learns "
        "to predict it for new series. The commands are:");
    print_commands();
    printf(".Pp\n");
    print_text("Results go to standard output; progress and messages go to standard error. Names of options must be complete. An "
               "input file is never overwritten.");
    print_common(command_at(0), ".Sh OPTIONS\nEach command has options of its own, and these:\n");
    print_environment();
    print_exit_status();
    printf(".Sh EXAMPLES\nTrain a network, save it, and use it on new series:\n");
    print_example("tapline train mine.csv --test other.csv --out mine.safetensors");
    print_example("tapline predict mine.safetensors new.csv > predicted.csv");
    printf(".Sh SEE ALSO\n.Xr tapline-train 1 ,\n.Xr tapline 3 ,\n.Xr tapline-files 5\n");
}

void manual_print(const command *self) {
    if (self)
        print_command_page(self);
    else
        print_main_page();
}
