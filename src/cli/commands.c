/* The table of commands. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

const command *command_at(size_t index) {
    static const command *const commands[] = {&train_command,      &eval_command,         &predict_command,    &stream_command,
                                              &info_command,       &import_command,       &export_command,     &quantize_command,
                                              &convert_command,    &show_command,         &plot_command,       &bench_conv_command,
                                              &bench_step_command, &bench_stream_command, &bench_read_command, &help_command};
    return index < sizeof commands / sizeof *commands ? commands[index] : NULL;
}

static const char *command_name(size_t index) { return command_at(index) ? command_at(index)->name : NULL; }

/* `group` is the first word of commands with two words: lists the second words. Returns false if it is not such a word. */
static bool complain_group(const char *group) {
    char list[200] = "";
    size_t used = 0;
    const char *name, *last = NULL;
    for (size_t i = 0; (name = command_name(i)) && used < sizeof list; i++) {
        const char *second = strchr(name, ' ');
        if (!second || strncmp(name, group, strlen(group)) != 0 || second != name + strlen(group)) continue;
        if (last) used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", last);
        last = second + 1;
    }
    if (last) complain(group, "needs a second word: %s%s%s", list, used ? " or " : "", last);
    return last != NULL;
}

const command *command_find(int count, const char *const *words, int *used) {
    char two[64];
    snprintf(two, sizeof two, "%s %s", words[0], count > 1 ? words[1] : "");
    const char *name;
    for (size_t i = 0; (name = command_name(i)); i++) {
        *used = strchr(name, ' ') ? 2 : 1;
        if (strcmp(name, *used == 2 ? two : words[0]) == 0) return command_at(i);
    }
    if (complain_group(words[0])) return NULL;
    const char *shown = *words[0] ? words[0] : "''";
    const char *close = suggest(two, command_name);
    if (!close) close = suggest(words[0], command_name);
    if (close)
        complain(NULL, "unknown command %s; did you mean %s?", shown, close);
    else
        complain(NULL, "unknown %s %s; `tapline help` lists the commands", *shown == '-' ? "option" : "command", shown);
    return NULL;
}
