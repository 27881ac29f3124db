/* The tapline command and existing files: input files are never overwritten, under any name; unwritable outputs are reported before
 * training; closed descriptors, pipes, modes. */
#include "check.h"
#include "runner.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/tapline-kept-XXXXXX";
static char back[500];

/* The tests use the names of files in the folder. */
static int set_up(void **unused) {
    (void)unused;
    return getcwd(back, sizeof back) && mkdtemp(folder) && chdir(folder) == 0 ? 0 : 1;
}

static int tear_down(void **unused) {
    (void)unused;
    char command[100];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return chdir(back) == 0 && system(command) == 0 ? 0 : 1; // NOLINT(cert-env33-c,concurrency-mt-unsafe)
}

static void write_bytes(const char *path, const void *content, size_t count) {
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text) { write_bytes(path, text, strlen(text)); }

static void write_table(const char *path) { write_text(path, "a,1,2,1,2\nb,2,1,2,1\na,1,3,1,3\nb,3,1,3,1\n"); }

/* The run's exit code, and `text` on stderr. Frees the run. */
static void expect(run done, int code, const char *text) {
    if (done.code != code || !strstr(done.err, text))
        fail_msg("expected exit code %d and \"%s\" on stderr; got %d and \"%s\"", code, text, done.code, done.err);
    run_free(&done);
}

/* The command is refused, and the file does not change. */
static void check_kept(const char *const *arguments, const char *path, const char *text) {
    struct stat before, after;
    assert_int_equal(stat(path, &before), 0);
    expect(run_to_end(arguments), 2, text);
    assert_int_equal(stat(path, &after), 0);
    assert_true(before.st_ino == after.st_ino && before.st_size == after.st_size &&
                before.st_mtim.tv_nsec == after.st_mtim.tv_nsec);
}

#define NETWORK "--arch", "timecnn", "--epochs", "1", "--quiet", "--threads", "1", "--precision", tl_precision()
#define KEPT(path, text, ...) check_kept((const char *const[RUN_ARGUMENTS]){__VA_ARGS__, NETWORK}, path, text)

static void given_numbered_files_of_members_when_one_is_read_then_refused(void **unused) {
    (void)unused;
    write_table("d.1.csv");
    write_table("other.csv");
    KEPT("d.1.csv", "--log d.1.csv: this file is also DATA, and would be overwritten", "train", "d.1.csv", "--members", "2",
         "--log", "d.csv");
    KEPT("d.1.csv", "--out ./d.1.csv: this file is also --test, and would be overwritten", "train", "other.csv", "--test",
         "d.1.csv", "--members", "2", "--out", "./d.csv");
    KEPT("d.1.csv", "this file is also --out, and would be overwritten", "train", "other.csv", "--members", "2", "--out", "d.csv",
         "--log", "./d.csv");
    KEPT("d.1.csv", "this file is also --resume, and would be overwritten", "train", "other.csv", "--members", "2", "--resume",
         "d.csv", "--out", "d.csv");
    KEPT("other.csv", "--log ./fresh: this file is also --out, and would be overwritten", "train", "other.csv", "--out", "fresh",
         "--log", "./fresh");
}

static void given_links_to_what_is_read_when_written_then_refused(void **unused) {
    (void)unused;
    write_table("links.csv");
    assert_int_equal(symlink("links.csv", "soft"), 0);
    assert_int_equal(link("links.csv", "hard"), 0);
    assert_int_equal(symlink(".", "here"), 0);
    const char *const names[] = {"soft", "hard", "here/links.csv"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        KEPT("links.csv", "this file is also DATA, and would be overwritten", "train", "links.csv", "--out", names[i]);
        KEPT("links.csv", "this file is also DATA, and would be overwritten", "train", names[i], "--log", "links.csv");
        KEPT("links.csv", "this file is also --test, and would be overwritten", "train", "builtin:cbf", "--test", names[i],
             "--checkpoint", "links.csv");
    }
}

static void given_a_folder_as_data_when_written_into_then_refused(void **unused) {
    (void)unused;
    assert_int_equal(mkdir("set", 0755) | mkdir("set/a", 0755) | mkdir("set/b", 0755), 0);
    write_text("set/a/1.csv", "1\n2\n3\n4\n");
    write_text("set/b/1.csv", "4\n3\n2\n1\n");
    KEPT("set/a/1.csv", "this is the file set/a/1.csv of DATA set, and would be overwritten", "train", "set", "--out",
         "set/a/1.csv");
    KEPT("set/b/1.csv", "is the file ./set/b/1.csv of --test ./set,", "train", "builtin:cbf", "--test", "./set", "--log",
         "set/b/1.csv");
}

static void given_a_record_as_data_when_written_over_then_refused(void **unused) {
    (void)unused;
    unsigned char samples[4000] = {0}, annotations[22] = {0};
    for (int i = 0; i < 10; i++) annotations[2 * i] = 0x2C, annotations[2 * i + 1] = (unsigned char)((i % 2 ? 1 : 5) << 2 | 1);
    write_text("s.hea", "s 1 360 2000\ns.dat 16 200\n");
    write_bytes("s.dat", samples, sizeof samples);
    write_bytes("s.atr", annotations, sizeof annotations);
    KEPT("s.atr", "is the file s.atr of DATA s.hea", "train", "s.hea", "--log", "s.atr");
    KEPT("s.dat", "is the file s.dat of DATA s.hea", "train", "s.hea", "--out", "s.dat");
    KEPT("s.hea", "this file is also DATA, and would be overwritten", "train", "s.hea", "--checkpoint", "s.hea");
    write_bytes("s.qrs", annotations, sizeof annotations);
    KEPT("s.qrs", "is the file s.qrs of DATA s.hea", "train", "s.hea", "--annotator", "qrs", "--out", "s.qrs");
}

static void given_files_that_a_table_names_when_written_over_then_refused(void **unused) {
    (void)unused;
    assert_int_equal(mkdir("parts", 0777), 0);
    write_text("parts/one.csv", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    write_text("parts/two.csv", "9\n8\n7\n6\n5\n4\n3\n2\n1\n0\n-1\n-2\n");
    write_text("parts/r.hea", "r 1 100 12\nr.dat 16 1\n");
    write_text("parts/r.dat", "0123456789abcdef01234567");
    write_text("parts/list.csv", "file,label\none.csv,up\n\"two.csv\",down\n");
    write_text("parts/records.csv", "file,label\nr,up\nr.hea,down\n");
    KEPT("parts/one.csv", "is the file parts/one.csv of DATA parts/list.csv", "train", "parts/list.csv", "--file", "file", "--out",
         "./parts/one.csv");
    KEPT("parts/two.csv", "is the file parts/two.csv of --test", "train", "--test", "parts/list.csv", "--file", "first", "--log",
         "parts/two.csv");
    KEPT("parts/r.hea", "is the file parts/r.hea of DATA", "train", "parts/records.csv", "--file", "file", "--out", "parts/r.hea");
    KEPT("parts/r.dat", "is the file parts/r.dat of DATA", "train", "parts/records.csv", "--file", "file", "--log", "parts/r.dat");
    expect(run_command("import", "weights", "parts/list.csv", "--file", "file", "--out", "parts/one.csv"), 2,
           "is the file parts/one.csv of DATA");
    expect(run_command("train", "parts/list.csv", "--file", "file", NETWORK, "--out", "parts/model"), 0, "");
}

static void given_an_architecture_in_a_file_when_it_would_be_written_then_refused(void **unused) {
    (void)unused;
    write_text("net.json", "{}");
    expect(run_command("train", "builtin:cbf", "--arch", "net.json", "--out", "net.json"), 2,
           "this file is also --arch, and would be overwritten");
    expect(run_command("import", "weights", "builtin:cbf", "--arch", "net.json", "--out", "net.json"), 2,
           "this file is also --arch, and would be overwritten");
    expect(run_command("import", "net.json", "builtin:cbf", "--out", "./net.json"), 2,
           "this file is also WEIGHTS, and would be overwritten");
}

static void given_what_cannot_be_written_in_the_end_then_said_before_training(void **unused) {
    (void)unused;
    char name[257] = "";
    memset(name, 'x', 256);
    assert_int_equal(symlink("nowhere", "dangling"), 0);
    assert_int_equal(mkfifo("pipe", 0600), 0);
    const char *const options[] = {"--out", "--checkpoint", "--log"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        expect(run_command("train", options[i], name), 1, "File name too long");
        expect(run_command("train", options[i], "dangling"), 1, "dangling: is a link to a file that does not exist");
        expect(run_command("train", options[i], "pipe"), 1, "pipe: is a pipe, not a file");
        expect(run_command("train", options[i], "/dev/null"), 1, "/dev/null: is a device, not a file");
        expect(run_command("train", options[i], "no/folder/f"), 1, "No such file or directory");
        expect(run_command("train", "--members", "2", options[i], "dangling", "--arch", "no.json"), 1, "No such file");
    }
    assert_int_equal(symlink("nowhere", "second.2"), 0);
    expect(run_command("train", "--members", "2", "--out", "second"), 1, "--out second.2: is a link to a file that does not exist");
}

/* Runs the command with a descriptor closed, in a shell. */
static int run_closed(const char *closed, char *log, size_t size) {
    char line[700];
    snprintf(line, sizeof line, "%s train builtin:cbf --arch timecnn --epochs 20 --threads 1 --log log.csv %s >out.txt",
             TAPLINE_COMMAND_LINE, closed);
    const int status = system(line); // NOLINT(cert-env33-c,concurrency-mt-unsafe)
    FILE *file = fopen("log.csv", "r");
    assert_non_null(file);
    log[fread(log, 1, size - 1, file)] = '\0';
    fclose(file);
    return WEXITSTATUS(status);
}

static void check_log(const char *expected) {
    char text[200] = "";
    FILE *file = fopen("kept.log", "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static void given_a_training_that_cannot_begin_when_logged_then_the_log_stays(void **unused) {
    (void)unused;
    write_text("kept.log", "an earlier log\n");
    expect(run_command("train", NETWORK, "--shards", "3", "--log", "kept.log"), 2, "shards is 3; it must be a power of two");
    expect(run_command("train", NETWORK, "--watch", "validation-loss", "--log", "kept.log"), 2, "there is no validation set");
    check_log("an earlier log\n");
    expect(run_command("train", NETWORK, "--shards", "3", "--log", "new.log"), 2, "shards is 3");
    assert_int_equal(access("new.log", F_OK), -1);
}

static void given_no_room_for_the_checkpoint_when_logged_then_the_log_stays(void **unused) {
    (void)unused;
    struct rlimit before;
    write_text("kept.log", "an earlier log\n");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_IGN); /* the command inherits it: a file that is too large is then an error */
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){.rlim_cur = 4000, .rlim_max = before.rlim_max});
    run done = run_command("train", NETWORK, "--checkpoint", "state", "--log", "kept.log");
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    expect(done, 1, "cannot be written: no room for ");
    check_log("an earlier log\n");
}

static void given_many_folds_when_their_models_are_saved_then_none_is_data(void **unused) {
    (void)unused;
    char text[4000];
    size_t used = 0;
    for (int i = 0; i < 120; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%c,%d,%d,%d,%d\n", 'a' + i % 2, i, 1, 2, i);
    write_text("d.110.csv", text);
    KEPT("d.110.csv", "this file is also DATA", "train", "d.110.csv", "--folds", "120", "--fold", "all", "--out", "d.csv");
    expect(run_command("train", "d.110.csv", "--folds", "1001", "--fold", "all", "--out", "d.csv"), 2,
           "--folds 1001 --fold all --out d.csv: at most 1000 models are saved; use fewer folds, or no --out");
}

static void given_closed_descriptors_when_run_then_files_hold_their_own(void **unused) {
    (void)unused;
    static const char *const closed[] = {"2>&-", "<&- 2>&-", "<&- 2>err.txt"};
    char log[4000];
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        assert_int_equal(run_closed(closed[i], log, sizeof log), 0);
        size_t lines = 0;
        for (const char *c = log; *c; c++) lines += *c == '\n';
        assert_int_equal(lines, 21);
        assert_int_equal(strncmp(log, "epoch,learning_rate,", 20), 0);
        assert_null(strstr(log, "series/s"));
    }
}

static void given_a_mode_of_its_own_when_the_model_is_replaced_then_it_stays(void **unused) {
    (void)unused;
    struct stat about;
    for (int i = 0; i < 2; i++) {
        run done = run_command("train", NETWORK, "--out", "mode.model");
        assert_int_equal(done.code, 0);
        run_free(&done);
        assert_int_equal(stat("mode.model", &about), 0);
        if (i == 0) assert_int_equal(chmod("mode.model", 0600), 0);
    }
    assert_int_equal(about.st_mode & 07777, 0600);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_numbered_files_of_members_when_one_is_read_then_refused),
        cmocka_unit_test(given_links_to_what_is_read_when_written_then_refused),
        cmocka_unit_test(given_a_folder_as_data_when_written_into_then_refused),
        cmocka_unit_test(given_a_record_as_data_when_written_over_then_refused),
        cmocka_unit_test(given_files_that_a_table_names_when_written_over_then_refused),
        cmocka_unit_test(given_many_folds_when_their_models_are_saved_then_none_is_data),
        cmocka_unit_test(given_a_training_that_cannot_begin_when_logged_then_the_log_stays),
        cmocka_unit_test(given_no_room_for_the_checkpoint_when_logged_then_the_log_stays),
        cmocka_unit_test(given_an_architecture_in_a_file_when_it_would_be_written_then_refused),
        cmocka_unit_test(given_what_cannot_be_written_in_the_end_then_said_before_training),
        cmocka_unit_test(given_closed_descriptors_when_run_then_files_hold_their_own),
        cmocka_unit_test(given_a_mode_of_its_own_when_the_model_is_replaced_then_it_stays),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down) != 0;
}
