/* `tapline bench read`: times the reading of files of each format; compiled once for each precision (commands.h). */
#include "bench.h"

#include <tapline/dataset.h>
#include <tapline/random.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SERIES = 1000, LENGTH = 1000, PATH = 300 };

/* A format, and how it writes a series of numbers. */
typedef struct format {
    const char *name, *head; /* NULL: an array */
    int digits;              /* after the decimal point */
    bool exponent, label_first;
    char separator;
} format;

static const format formats[] = {
    {"csv", "", 6, false, true, ','},   {"tsv", "", 16, true, true, '\t'},
    {"txt", "", 7, true, true, ' '},    {"ts", "@classLabel true 0 1 2\n@data\n", 6, false, false, ','},
    {"npy", NULL, 0, false, true, ' '}, {"npz", NULL, 0, false, true, ' '}};

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

static void name_file(char path[PATH], const char *ending) {
    const char *folder = getenv("TMPDIR");
    snprintf(path, PATH, "%s/tapline-bench-%ld.%s", folder ? folder : "/tmp", (long)getpid(), ending);
}

static tl_status write_file(const char *path, const format *as, tl_error *error) {
    FILE *file = fopen(path, "wb");
    if (file) write_all(file, as);
    if (!file || fclose(file) != 0)
        return tl_fail(error, TL_ERROR_FILE, "%s: cannot be written; set TMPDIR to another folder", path);
    return TL_OK;
}

/* Writes the archive of x and y that has the series of a table in an array. */
static tl_status write_archive(const char *path, const format *as, tl_error *error) {
    char table[PATH];
    name_file(table, "npy");
    if (write_file(table, as, error) == TL_OK) tl_dataset_convert(table, path, NULL, true, NULL, error);
    remove(table);
    return error->status;
}

/* ---- timing ---- */

typedef struct reading {
    char path[PATH];
    size_t size; /* bytes of the file */
    tl_error *error;
} reading;

static void read_once(void *context) {
    const reading *self = context;
    tl_dataset_free(tl_dataset_read(self->path, &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, self->error));
}

/* Reads the bytes of the file to new memory, which a data set needs too. malloc would return the memory of the last time. */
static void copy_once(void *context) {
    const reading *self = context;
    const int file = open(self->path, O_RDONLY);
    void *to = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (file < 0 || to == MAP_FAILED || read(file, to, self->size) != (ssize_t)self->size)
        tl_fail(self->error, TL_ERROR_FILE, "%s: cannot be copied: %s", self->path, strerror(errno));
    if (to != MAP_FAILED) munmap(to, self->size);
    close(file);
}

/* samples [OUT]: of reading, and of copying the bytes. */
static void time_reading(const bench_settings *settings, reading *self, bench_samples samples[2]) {
    for (int round = 0; round < BENCH_ROUNDS && !tl_failed(self->error); round++) {
        bench_round(&samples[0], read_once, self, settings->seconds);
        bench_round(&samples[1], copy_once, self, settings->seconds);
    }
}

static json_t *report_format(const format *as, const reading *self, bench_samples samples[2]) {
    const bench_timing timing = bench_summary(&samples[0]), copy = bench_summary(&samples[1]);
    const double megabytes = (double)self->size / 1e6, rate = megabytes / timing.best * 1e3, copies = timing.best / copy.best;
    printf("%-6s %8.1f %10.3f %6.0f%% %10.0f %8.1f\n", as->name, megabytes, timing.median, 100 * timing.spread, rate, copies);
    return json_pack("{ss sf sf sf sf sf}", "format", as->name, "megabytes", megabytes, "milliseconds", timing.median, "best",
                     timing.best, "megabytes_per_second", rate, "copies", copies);
}

static json_t *run_format(const bench_settings *settings, const format *as, tl_error *error) {
    struct stat about;
    reading self = {.error = error};
    json_t *report = NULL;
    bench_samples *samples = calloc(2, sizeof *samples);
    if (!samples) tl_fail(error, TL_ERROR_MEMORY, "out of memory");
    name_file(self.path, as->name);
    if (!tl_failed(error)) (strcmp(as->name, "npz") == 0 ? write_archive : write_file)(self.path, as, error);
    if (!tl_failed(error) && stat(self.path, &about) == 0) {
        self.size = (size_t)about.st_size;
        time_reading(settings, &self, samples);
    }
    remove(self.path);
    if (!tl_failed(error)) report = report_format(as, &self, samples);
    free(samples);
    return report;
}

int IN_PRECISION(bench_read)(const void *asked) {
    const bench_settings *settings = asked;
    tl_error error = {0};
    json_t *results = json_array();
    printf("%-6s %8s %10s %7s %10s %8s\n", "format", "MB", "ms", "spread", "MB/s", "copies");
    for (size_t i = 0; i < sizeof formats / sizeof *formats && !tl_failed(&error); i++)
        if (!settings->only || strcmp(settings->only, formats[i].name) == 0)
            json_array_append_new(results, run_format(settings, &formats[i], &error));
    if (!tl_failed(&error))
        printf("%d series of %d numbers, %s, one thread, from a cached file; ms: median, MB/s: best, copies: time over that of a "
               "copy of its bytes to new memory\n",
               SERIES, LENGTH, tl_precision());
    return bench_finish(settings, json_pack("{ss so}", "precision", tl_precision(), "results", results), &error);
}
