/* `tapline bench read`: times the reading of files of each format; compiled once for each precision (commands.h). */
#include "bench.h"

#include <tapline/dataset.h>
#include <tapline/random.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIES = 1000, LENGTH = 1000 };

/* A format, and how it writes a series of numbers. */
typedef struct format {
    const char *name, *head; /* NULL: an array */
    int digits;              /* after the decimal point */
    bool exponent, label_first;
    char separator;
} format;

static const format formats[] = {{"csv", "", 6, false, true, ','},
                                 {"tsv", "", 16, true, true, '\t'},
                                 {"txt", "", 7, true, true, ' '},
                                 {"ts", "@classLabel true 0 1 2\n@data\n", 6, false, false, ','},
                                 {"npy", NULL, 0, false, true, ' '}};

const char *IN_PRECISION(bench_format_name)(size_t index) {
    return index < sizeof formats / sizeof *formats ? formats[index].name : NULL;
}

/* ---- files ---- */

static void write_series(FILE *file, const format *as, int label, const double *values) {
    if (as->label_first) fprintf(file, "%d", label);
    for (int t = 0; t < LENGTH; t++) {
        if (t > 0 || as->label_first) fputc(as->separator, file);
        fprintf(file, as->exponent ? "%.*e" : "%.*f", as->digits, values[t]);
    }
    if (as->label_first)
        fputc('\n', file);
    else
        fprintf(file, ":%d\n", label);
}

/* The header of an array of floats, (SERIES, 1 + LENGTH). */
static void write_array_head(FILE *file) {
    char text[119];
    snprintf(text, sizeof text, "{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", SERIES, 1 + LENGTH);
    fprintf(file, "\x93NUMPY\1%c\x76%c%-117s\n", 0, 0, text);
}

static void write_array_row(FILE *file, int label, const double *values) {
    float row[1 + LENGTH] = {(float)label};
    for (int t = 0; t < LENGTH; t++) row[1 + t] = (float)values[t];
    fwrite(row, sizeof *row, 1 + LENGTH, file);
}

static void write_all(FILE *file, const format *as) {
    double values[LENGTH];
    if (as->head)
        fputs(as->head, file);
    else
        write_array_head(file);
    for (int i = 0; i < SERIES; i++) {
        tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, (uint64_t)i);
        for (int t = 0; t < LENGTH; t++) values[t] = tl_rng_normal(&rng);
        if (as->head)
            write_series(file, as, i % 3, values);
        else
            write_array_row(file, i % 3, values);
    }
}

/* *size [OUT]: bytes of the file. */
static tl_status write_file(const char *path, const format *as, size_t *size, tl_error *error) {
    struct stat about;
    FILE *file = fopen(path, "wb");
    if (file) write_all(file, as);
    if (!file || fclose(file) != 0 || stat(path, &about) != 0)
        return tl_fail(error, TL_ERROR_FILE, "%s: cannot be written; set TMPDIR to another folder", path);
    *size = (size_t)about.st_size;
    return TL_OK;
}

/* ---- timing ---- */

typedef struct reading {
    const char *path;
    tl_error *error;
} reading;

static void read_once(void *context) {
    const reading *self = context;
    tl_dataset_free(tl_dataset_read(self->path, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, self->error));
}

static void time_reading(const bench_settings *settings, reading *self, bench_samples *samples) {
    for (int round = 0; round < BENCH_ROUNDS && !tl_failed(self->error); round++)
        bench_round(samples, read_once, self, settings->seconds);
}

static json_t *run_format(const bench_settings *settings, const format *as, tl_error *error) {
    char path[300];
    const char *folder = getenv("TMPDIR");
    size_t size = 0;
    bench_samples *samples = calloc(1, sizeof *samples);
    if (!samples) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    snprintf(path, sizeof path, "%s/tapline-bench-%ld.%s", folder ? folder : "/tmp", (long)getpid(), as->name);
    reading self = {path, error};
    if (!tl_failed(error) && write_file(path, as, &size, error) == TL_OK) time_reading(settings, &self, samples);
    remove(path);
    const bench_timing timing = tl_failed(error) ? (bench_timing){0} : bench_summary(samples);
    free(samples);
    if (tl_failed(error)) return NULL;
    const double megabytes = (double)size / 1e6, rate = megabytes / timing.best * 1e3;
    printf("%-6s %8.1f %10.3f %6.0f%% %10.0f\n", as->name, megabytes, timing.median, 100 * timing.spread, rate);
    return json_pack("{ss sf sf sf sf}", "format", as->name, "megabytes", megabytes, "milliseconds", timing.median, "best",
                     timing.best, "megabytes_per_second", rate);
}

int IN_PRECISION(bench_read)(const void *asked) {
    const bench_settings *settings = asked;
    tl_error error = {0};
    json_t *results = json_array();
    printf("%-6s %8s %10s %7s %10s\n", "format", "MB", "ms", "spread", "MB/s");
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !tl_failed(&error); i++)
        if (!settings->only || strcmp(settings->only, formats[i].name) == 0)
            json_array_append_new(results, run_format(settings, &formats[i], &error));
    if (!tl_failed(&error))
        printf("%d series of %d numbers, %s, one thread, from a cached file; ms: median, MB/s: best\n", SERIES, LENGTH,
               tl_precision());
    return bench_finish(settings, json_pack("{ss so}", "precision", tl_precision(), "results", results), &error);
}
