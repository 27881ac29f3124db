/* tapline: finds the command, parses its options and runs it in the chosen precision. */
#include "cli/commands.h"
#include "cli/help/help.h"
#include "cli/report.h"
#include "cli/train/ranks.h"

#include <tapline/base.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
    const command *found = command_find(argc, (const char *const *)argv, &words);
    if (!found) return EXIT_USAGE;
    if (!options_parse(found, argc - words + 1, argv + words - 1, &code)) return code;
    *told = found->writes_files;
    if (found->writes_files)
        signal(SIGPIPE, SIG_IGN); /* other commands end when nobody reads their results, as programs usually do */
    if (!found->alone) limit_spinning(argv - 1);
    if (!ranks_join(found)) return EXIT_USAGE;
    const common_settings *settings = found->settings;
    const char *precision = settings->precision ? settings->precision : found->choose_precision();
    if (!precision) return EXIT_FAILED;
    code = strcmp(precision, "f64") == 0 ? found->run_f64(settings) : found->run_f32(settings);
    ranks_leave();
    return code;
}

static int dispatch(int argc, char **argv, bool *told) {
    const bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    if (argc < 2 || help) {
        help_print(help ? stdout : stderr);
        return help ? EXIT_DONE : EXIT_USAGE;
    }
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
