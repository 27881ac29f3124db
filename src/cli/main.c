/* tapline: finds the command, has its options parsed, runs it in the precision asked for. */
#include "commands.h"
#include "report.h"

#include <tapline/base.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const command *const commands[] = {&train_command, &bench_conv_command, &bench_step_command};

enum { COMMANDS = sizeof commands / sizeof *commands };

static const char *command_name(size_t index) { return index < COMMANDS ? commands[index]->name : NULL; }

static int help(FILE *to) {
    fprintf(to, "tapline trains small one-dimensional convolutional networks on sequence data.\n\n");
    for (size_t i = 0; i < COMMANDS; i++) fprintf(to, "  tapline %-12s %s\n", commands[i]->name, commands[i]->summary);
    fprintf(to, "  tapline %-12s %s\n", "help COMMAND", "the options of a command");
    fprintf(to, "  tapline %-12s %s\n", "--version", "the version");
    return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* The command whose name the arguments start with, which may be two words; *words says how many. */
static const command *find(int argc, char **argv, int *words) {
    char two[64];
    snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    for (size_t i = 0; i < COMMANDS; i++) {
        *words = strchr(commands[i]->name, ' ') ? 2 : 1;
        if (strcmp(commands[i]->name, *words == 2 ? two : argv[0]) == 0) return commands[i];
    }
    const char *close = suggest(argv[0], command_name);
    if (!close) close = suggest(two, command_name);
    if (close)
        complain(NULL, "unknown command %s; did you mean %s?", argv[0], close);
    else
        complain(NULL, "unknown command %s; `tapline help` lists what there is", argv[0]);
    return NULL;
}

static int help_command(int argc, char **argv) {
    int words;
    if (argc == 0) return help(stdout);
    const command *found = find(argc, argv, &words);
    if (!found) return EXIT_USAGE;
    options_help(found);
    return EXIT_DONE;
}

static int run(int argc, char **argv) {
    int words, code;
    const command *found = find(argc, argv, &words);
    if (!found) return EXIT_USAGE;
    if (!options_parse(found, argc - words + 1, argv + words - 1, &code)) return code;
    const common_settings *settings = found->settings;
    return strcmp(settings->precision, "f64") == 0 ? found->run_f64(settings) : found->run_f32(settings);
}

static int dispatch(int argc, char **argv) {
    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return help(stdout);
    if (strcmp(argv[1], "help") == 0) return help_command(argc - 2, argv + 2);
    if (strcmp(argv[1], "--version") != 0) return run(argc - 1, argv + 1);
    printf("tapline %s\n", tl_version());
    return EXIT_DONE;
}

int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN); /* a closed stdout is then a failed write, which report_finish tells of */
    const int code = dispatch(argc, argv);
    const int written = report_finish(NULL);
    return code != EXIT_DONE ? code : written;
}
