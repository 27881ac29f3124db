/* tapline: finds the command, parses its options and runs it in the chosen precision. */
#include "cli/commands.h"
#include "cli/ranks.h"
#include "cli/report.h"

#include <tapline/base.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *command_name(size_t index) { return command_at(index) ? command_at(index)->name : NULL; }

static void help_line(FILE *to, const char *name, const char *summary) {
    print_wrapped(to, 24, fprintf(to, "  tapline %s ", name), summary);
}

static int help(FILE *to) {
    fprintf(to, "tapline trains small one-dimensional convolutional networks on series.\n\n  tapline train mine.csv --test "
                "other.csv --out mine.safetensors\n  tapline predict mine.safetensors new.csv\n\n");
    for (size_t i = 0; command_at(i); i++) help_line(to, command_at(i)->name, command_at(i)->summary);
    help_line(to, "help COMMAND", "the options of a command");
    help_line(to, "--version", "the version");
    return to == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* `group` is the first word of commands with two words: lists the second words. Returns false if it is not such a word. */
static bool complain_group(const char *group) {
    char list[200] = "";
    size_t used = 0;
    const char *name;
    for (size_t i = 0; (name = command_name(i)) && used < sizeof list; i++) {
        const char *second = strchr(name, ' ');
        if (!second || strncmp(name, group, strlen(group)) != 0 || second != name + strlen(group)) continue;
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? " or" : "", second);
    }
    if (used) complain(group, "needs%s after it", list);
    return used > 0;
}

/* Returns the command whose name, of one or two words, the arguments begin with; *words [OUT]: their number. */
static const command *find(int argc, char **argv, int *words) {
    char two[64];
    snprintf(two, sizeof two, "%s %s", argv[0], argc > 1 ? argv[1] : "");
    const char *name;
    for (size_t i = 0; (name = command_name(i)); i++) {
        *words = strchr(name, ' ') ? 2 : 1;
        if (strcmp(name, *words == 2 ? two : argv[0]) == 0) return command_at(i);
    }
    if (complain_group(argv[0])) return NULL;
    const char *shown = *argv[0] ? argv[0] : "''";
    const char *close = suggest(two, command_name);
    if (!close) close = suggest(argv[0], command_name);
    if (close)
        complain(NULL, "unknown command %s; did you mean %s?", shown, close);
    else
        complain(NULL, "unknown command %s; `tapline help` lists the commands", shown);
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

/* Sets how long a waiting thread spins. By default libgomp's threads spin for milliseconds, libomp's for 200: on a machine with
 * other work, training then takes ten times as long. Libraries read these variables when they are loaded, so the program starts
 * itself again, which takes 3 ms. It does nothing if the user has set OMP_WAIT_POLICY. */
static void limit_spinning(char **argv) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT")) return;
    setenv("GOMP_SPINCOUNT", "1000", 1);
    setenv("KMP_BLOCKTIME", "0", 0);
    setenv("OPENBLAS_NUM_THREADS", "1", 1); /* the threads of models call the BLAS; its own threads would only wait */
    execv("/proc/self/exe", argv);          /* if that file does not exist, the program continues */
}

/* *told [OUT]: the command itself reports that nobody reads its results any more. */
static int run(int argc, char **argv, bool *told) {
    int words, code;
    const command *found = find(argc, argv, &words);
    if (!found) return EXIT_USAGE;
    if (!options_parse(found, argc - words + 1, argv + words - 1, &code)) return code;
    *told = found->writes_files;
    if (found->writes_files)
        signal(SIGPIPE, SIG_IGN); /* other commands end when nobody reads their results, as programs usually do */
    limit_spinning(argv - 1);
    if (!ranks_join(found)) return EXIT_USAGE;
    const common_settings *settings = found->settings;
    const char *precision = settings->precision ? settings->precision : found->choose_precision();
    if (!precision) return EXIT_FAILED;
    code = strcmp(precision, "f64") == 0 ? found->run_f64(settings) : found->run_f32(settings);
    ranks_leave();
    return code;
}

static int dispatch(int argc, char **argv, bool *told) {
    if (argc < 2) return help(stderr);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) return help(stdout);
    if (strcmp(argv[1], "help") == 0) return help_command(argc - 2, argv + 2);
    if (strcmp(argv[1], "--version") != 0) return run(argc - 1, argv + 1, told);
    printf("tapline %s\n", tl_version());
    return EXIT_DONE;
}

/* The program may be started without standard files. The next file that it opens would then become, for example, stderr and get the
 * progress. The files opened here cannot be written to, so that lost results are still an error. */
static void open_standard_files(void) {
    for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
        if (fcntl(file, F_GETFD) < 0) open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv) {
    open_standard_files();
    bool told = false;
    const int code = dispatch(argc, argv, &told);
    const int written = report_finish(NULL, told);
    return code != EXIT_DONE ? code : written;
}
