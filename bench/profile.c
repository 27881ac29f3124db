/* The times of the parts of a training step, layer by layer: `bench step --profile`. */
#include "bench.h"

#include "cli/report.h"

#include <math.h>
#include <stdlib.h>

enum { PARTS = TL_PASS_PART_BACKWARD + 1 };

static const char *const part_names[PARTS] = {"forward", "dw", "dx", "other"};

typedef struct row {
    const char *name;
    bench_samples part[PARTS];
} row;

struct bench_profile {
    size_t rows; /* the layers, then the loss and the optimizer */
    double began;
    row row[];
};

bench_profile *bench_profile_new(size_t layers, tl_error *error) {
    bench_profile *profile = calloc(1, sizeof *profile + (layers + BENCH_REST) * sizeof(row));
    if (!profile) {
        tl_fail(error, TL_ERROR_MEMORY, "bench: out of memory for the profile of %zu layers", layers);
        return NULL;
    }
    profile->rows = layers + BENCH_REST;
    profile->row[layers + BENCH_LOSS].name = "loss";
    profile->row[layers + BENCH_OPTIMIZER].name = "optimizer";
    return profile;
}

void bench_profile_free(bench_profile *profile) { free(profile); }

void bench_profile_name(bench_profile *profile, size_t layer, const char *name) { profile->row[layer].name = name; }

void bench_profile_begin(bench_profile *profile) { profile->began = bench_seconds(); }

static void add(bench_profile *profile, size_t index, tl_pass_part part) {
    bench_samples *samples = &profile->row[index].part[part];
    const double now = bench_seconds();
    if (samples->count < BENCH_SAMPLES) samples->seconds[samples->count++] = now - profile->began;
    profile->began = bench_seconds(); /* without the time of this function */
}

void bench_profile_part(void *context, tl_node layer, tl_pass_part part) { add(context, (size_t)layer.id, part); }

void bench_profile_rest(bench_profile *profile, bench_rest rest) {
    add(profile, profile->rows - BENCH_REST + (size_t)rest, TL_PASS_PART_BACKWARD);
}

/* ---- reports ---- */

/* The median of a part in milliseconds; NAN if the layer has no such part. */
static double median_of(row *of, size_t part) { return of->part[part].count ? bench_summary(&of->part[part]).median : NAN; }

static double sum_of_row(row *of) {
    double sum = 0;
    for (size_t part = 0; part < PARTS; part++)
        if (of->part[part].count) sum += median_of(of, part);
    return sum;
}

static double sum_of(bench_profile *profile) {
    double sum = 0;
    for (size_t i = 0; i < profile->rows; i++) sum += sum_of_row(&profile->row[i]);
    return sum;
}

static void print_row(row *of, double all) {
    printf("  %-22s", of->name);
    for (size_t part = 0; part < PARTS; part++) {
        const double median = median_of(of, part);
        if (isnan(median))
            printf(" %9s", "");
        else
            printf(" %9.4f", median);
    }
    printf(" %9.4f %5.1f %%\n", sum_of_row(of), 100 * sum_of_row(of) / all);
}

void bench_profile_print(bench_profile *profile) {
    const double all = sum_of(profile);
    printf("  %-22s", "layer, ms");
    for (size_t part = 0; part < PARTS; part++) printf(" %9s", part_names[part]);
    printf(" %9s %7s\n", "all", "share");
    for (size_t i = 0; i < profile->rows; i++)
        if (sum_of_row(&profile->row[i]) > 0) print_row(&profile->row[i], all);
    printf("  %-22s %39s %9.4f %5.1f %%\n", "all", "", all, 100.0);
}

json_t *bench_profile_json(bench_profile *profile) {
    const double all = sum_of(profile);
    json_t *list = json_array();
    for (size_t i = 0; i < profile->rows; i++) {
        row *of = &profile->row[i];
        const double sum = sum_of_row(of);
        if (!(sum > 0)) continue;
        json_array_append_new(list, json_pack("{ss so so so so sf sf}", "layer", of->name, "forward_ms",
                                              report_number(median_of(of, TL_PASS_PART_FORWARD)), "dw_ms",
                                              report_number(median_of(of, TL_PASS_PART_WEIGHT_GRADIENT)), "dx_ms",
                                              report_number(median_of(of, TL_PASS_PART_INPUT_GRADIENT)), "other_ms",
                                              report_number(median_of(of, TL_PASS_PART_BACKWARD)), "ms", sum, "share", sum / all));
    }
    return list;
}
