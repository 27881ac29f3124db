/* completion.c: completion of commands, options, names and files in shells. The scripts for the shells ask the command itself for
 * candidates, which come from its tables of commands and options: they fit each version of the command. */
#include "cli/commands.h"
#include "cli/help/help.h"

#include <string.h>

/* What completes an argument. */
typedef enum expected {
    EXPECT_NOTHING, /* a number or a text */
    EXPECT_FILES,
    EXPECT_DATA, /* files, or generated sets */
    EXPECT_COMMANDS
} expected;

/* Returns what completes an argument of this name, as in the help: of an option, or the operands of a command. */
static expected expected_of(const char *argument) {
    static const char *const files[] = {"DIR", "FILE", "FOLDER", "LOG", "MODEL"};
    if (strstr(argument, "COMMAND")) return EXPECT_COMMANDS;
    if (strstr(argument, "DATA")) return EXPECT_DATA;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (strstr(argument, files[i])) return EXPECT_FILES;
    return EXPECT_NOTHING;
}

/* Prints a candidate, and after a tab the first clause of its description (NULL: none), if `name` begins with `word`. `before`:
 * part of the word that the candidate keeps. */
static void candidate(const char *before, const char *name, const char *description, const char *word) {
    if (strncmp(name, word, strlen(word)) != 0) return;
    printf("%s%s", before, name);
    if (description) putchar('\t');
    for (size_t i = 0; description && i < first_clause(description, ";."); i++)
        putchar(description[i] == '\n' ? ' ' : description[i]);
    putchar('\n');
}

/* In place of a candidate: the shell's own names of files. */
static void candidate_files(void) { printf(":files\n"); }

/* ---- commands ---- */

static size_t first_word(const char *name) { return strcspn(name, " "); }

/* Whether an earlier command has the same first word. */
static bool repeats_group(size_t index) {
    const char *name = command_at(index)->name;
    for (size_t i = 0; i < index; i++)
        if (first_word(command_at(i)->name) == first_word(name) && strncmp(command_at(i)->name, name, first_word(name)) == 0)
            return true;
    return false;
}

/* `group`: the word before, such as "bench"; NULL: none. Returns whether there are commands of the group. */
static bool complete_command(const char *group, const char *word) {
    bool any = false;
    for (size_t i = 0; command_at(i); i++) {
        char name[40];
        const char *whole = command_at(i)->name, *summary = command_at(i)->summary;
        const size_t length = first_word(whole);
        snprintf(name, sizeof name, "%.*s", (int)length, whole);
        if (group && whole[length] && strcmp(name, group) == 0) {
            candidate("", whole + length + 1, summary, word);
            any = true;
        } else if (!group && !repeats_group(i))
            candidate("", name, whole[length] ? NULL : summary, word);
    }
    return any;
}

/* ---- options ---- */

/* Returns the option that begins with `name` and dashes, or its letter, if it has an argument; NULL: none. */
static const option_spec *option_with_argument(const command *self, const char *name, size_t length) {
    const option_spec *option;
    for (size_t i = 0; (option = command_option(self, i)); i++) {
        const bool full = length > 2 && length - 2 == strlen(option->name) && strncmp(name + 2, option->name, length - 2) == 0;
        const bool letter = length == 2 && option_letter(option->name) && name[1] == option_letter(option->name);
        if (*name == '-' && (full || letter)) return option->kind == OPTION_FLAG ? NULL : option;
    }
    return NULL;
}

static void complete_data(const char *before, const char *word) {
    static const char *const sets[] = {"builtin:cbf", "builtin:cbf/test", "builtin:synthetic-control",
                                       "builtin:synthetic-control/test"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) candidate(before, sets[i], "generated data", word);
    candidate_files();
}

/* `before`: "--name=" where it is part of the word. */
static void complete_value(const option_spec *option, const char *before, const char *word) {
    const char *comma = option->kind == OPTION_CHOICES ? strrchr(word, ',') : NULL;
    char kept[400];
    snprintf(kept, sizeof kept, "%s%.*s", before, comma ? (int)(comma + 1 - word) : 0, word);
    for (size_t i = 0; option->choice && option->choice(i); i++) candidate(kept, option->choice(i), NULL, comma ? comma + 1 : word);
    const expected value = option->kind == OPTION_TEXT ? expected_of(option->argument) : EXPECT_NOTHING;
    if (value == EXPECT_DATA) complete_data(before, word);
    if (value == EXPECT_FILES || option->kind == OPTION_CHOICE_OR_JSON) candidate_files();
}

static void complete_option(const command *self, const char *word) {
    const option_spec *option;
    for (size_t i = 0; (option = command_option(self, i)); i++) {
        char name[60];
        snprintf(name, sizeof name, "--%s", option->name);
        candidate("", name, option->help, word);
    }
}

static void complete_operand(const command *self, const char *const *words, const char *word) {
    switch (expected_of(self->operands)) {
    case EXPECT_COMMANDS:
        complete_command(words[0], word);
        break;
    case EXPECT_DATA:
        complete_data("", word);
        break;
    case EXPECT_FILES:
        candidate_files();
        break;
    default:
        complete_option(self, word);
    }
}

/* words: those after the command's name. */
static void complete_argument(const command *self, int count, const char *const *words, const char *word) {
    char before[60];
    const size_t name = strcspn(word, "=");
    const option_spec *option = word[name] ? option_with_argument(self, word, name) : NULL;
    snprintf(before, sizeof before, "%.*s=", (int)name, word);
    if (option) {
        complete_value(option, before, word + name + 1);
        return;
    }
    option = count > 0 ? option_with_argument(self, words[count - 1], strlen(words[count - 1])) : NULL;
    if (option)
        complete_value(option, "", word);
    else if (*word == '-')
        complete_option(self, word);
    else
        complete_operand(self, words, word);
}

void completion_candidates(int count, const char *const *words, const char *word) {
    int used;
    if (count == 0) {
        complete_command(NULL, word);
        if (*word == '-') candidate("", "--help", "List the commands.", word);
        if (*word == '-') candidate("", "--version", "Print the version.", word);
        return;
    }
    if (count == 1 && complete_command(words[0], word)) return;
    const command *self = command_find(count, words, &used);
    if (self) complete_argument(self, count - used, words + used, word);
}

/* ---- scripts ---- */

/* Bash divides the word before the cursor at = and :, and puts candidates in the place of its last part. */
static const char bash_script[] =
    "# bash completion for tapline. Written by `tapline help --completion bash`.\n"
    "_tapline() {\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words word kept='' name\n"
    "    read -ra words <<<\"$line\"\n"
    "    [[ $line == *[[:space:]] ]] && words+=('')\n"
    "    while [[ ${words[0]} == *=* ]]; do words=(\"${words[@]:1}\"); done\n"
    "    word=${words[-1]}\n"
    "    [[ $word == *[=:]* ]] && kept=${word%\"${word##*[=:]}\"}\n"
    "    COMPREPLY=()\n"
    "    while IFS=$'\\t' read -r name _; do\n"
    "        if [[ $name == :files ]]; then\n"
    "            compopt -o filenames 2>/dev/null\n"
    "            while IFS= read -r name; do COMPREPLY+=(\"$name\"); done < <(compgen -f -- \"${word#\"$kept\"}\")\n"
    "        else\n"
    "            COMPREPLY+=(\"${name#\"$kept\"}\")\n"
    "        fi\n"
    "    done < <(\"${words[0]/#\\~/$HOME}\" help --complete=\"$word\" -- \"${words[@]:1:${#words[@]}-2}\" 2>/dev/null)\n"
    "}\n"
    "complete -F _tapline tapline\n";

static const char zsh_script[] =
    "#compdef tapline\n"
    "# zsh completion for tapline. Written by `tapline help --completion zsh`.\n"
    "_tapline() {\n"
    "    local -a candidates\n"
    "    local name description files=''\n"
    "    while IFS=$'\\t' read -r name description; do\n"
    "        if [[ $name == :files ]]; then\n"
    "            files=yes\n"
    "        else\n"
    "            candidates+=(\"${name//:/\\\\:}:$description\")\n"
    "        fi\n"
    "    done < <(${~words[1]} help --complete=\"$PREFIX\" -- \"${(@)words[2,CURRENT-1]}\" 2>/dev/null)\n"
    "    (( $#candidates )) && _describe -t tapline 'argument of tapline' candidates\n"
    "    if [[ -n $files ]]; then\n"
    "        [[ $PREFIX == --*=* ]] && compset -P '*='\n"
    "        _files\n"
    "    fi\n"
    "}\n"
    "if [[ $funcstack[1] == _tapline ]]; then _tapline \"$@\"; else compdef _tapline tapline; fi\n";

static const char fish_script[] = "# fish completion for tapline. Written by `tapline help --completion fish`.\n"
                                  "function __tapline_candidates\n"
                                  "    set -l words (commandline -opc)\n"
                                  "    set -l word (commandline -ct)\n"
                                  "    set -l command (string replace -r '^~' $HOME -- $words[1])\n"
                                  "    for line in ($command help --complete=\"$word\" -- $words[2..] 2>/dev/null)\n"
                                  "        if test \"$line\" = :files\n"
                                  "            __fish_complete_path (string replace -r '^--[a-z0-9-]*=' '' -- \"$word\")\n"
                                  "        else\n"
                                  "            echo $line\n"
                                  "        end\n"
                                  "    end\n"
                                  "end\n"
                                  "complete -c tapline -f -a '(__tapline_candidates)'\n";

static const struct { const char *name, *script; } shells[] = {{"bash", bash_script}, {"zsh", zsh_script}, {"fish", fish_script}};

enum { SHELLS = sizeof shells / sizeof *shells };

const char *shell_name(size_t index) { return index < SHELLS ? shells[index].name : NULL; }

void completion_print(const char *shell) {
    for (size_t i = 0; i < SHELLS; i++)
        if (strcmp(shells[i].name, shell) == 0) printf("%s", shells[i].script);
}
