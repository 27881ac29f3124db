/* A logbook as a table, with a line for each second of each machine and with gaps: how a program chooses the way to read it, by
 * words from its own settings. The argument is the path of a table with the same columns. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

/* Machine 1 runs smoothly, machine 2 shakes; a value of each is missing. */
static void write_table(const char *path, tl_error *error) {
    FILE *file = fopen(path, "w");
    if (!file) {
        tl_fail(error, TL_ERROR_FILE, "%s cannot be written", path);
        return;
    }
    fprintf(file, "machine,second,current,state\n");
    for (int machine = 1; machine <= 2; machine++)
        for (int second = 0; second < 100; second++) {
            fprintf(file, "%d,%d,", machine, second);
            if (second == 42)
                fprintf(file, "?,");
            else
                fprintf(file, "%.3f,", sin(0.3 * second * machine) + machine);
            fprintf(file, "%s\n", machine == 1 ? "smooth" : "shaking");
        }
    if (fclose(file) != 0) tl_fail(error, TL_ERROR_FILE, "%s cannot be written", path);
}

static void print_file(const char *file, void *unused) {
    (void)unused;
    printf("reads %s\n", file);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    const char *path = argc > 1 ? argv[1] : "logbook.csv";
    if (argc == 1) write_table(path, &error);
    tl_read_cfg cfg = {.series = "machine", .time = "second", .value = "current", .label = "state", .window = 20};
    tl_header_by_name("yes", &cfg.header, &error);
    tl_missing_policy_by_name("interpolate", &cfg.missing_policy, &error);
    tl_normalization_by_name("set", &cfg.normalize, &error);
    tl_window_target_by_name("last", &cfg.window_target, &error);
    if (!tl_dataset_is_table(path, NULL)) tl_fail(&error, TL_ERROR_FORMAT, "%s is no table, which has columns", path);
    tl_dataset_files(path, &cfg, print_file, NULL, &error);
    if (tl_dataset_has_test(path)) printf("there is a test half, %s/test\n", path);

    tl_dataset *data = tl_dataset_read(path, &cfg, &error);
    printf("header: %s; missing values: %s; the label of a window: %s\n", tl_header_name(cfg.header),
           tl_missing_policy_name(cfg.missing_policy), tl_window_target_name(cfg.window_target));
    for (size_t i = 0; data && i < data->x.shape[0]; i++)
        printf("window %zu of machine %zu, from second %3zu: %s\n", i, data->windows[i].series + 1, data->windows[i].start,
               data->class_names[data->labels[i]]);
    if (data) printf("scaled by \"%s\": mean %.3f\n", tl_normalization_name(data->scaling.kind), data->scaling.mean[0]);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    const bool right = data && data->x.shape[0] == 10 && data->classes == 2;
    tl_dataset_free(data);
    return tl_failed(&error) || (argc == 1 && !right);
}
