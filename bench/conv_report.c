/* The results of `bench conv` as tables and as JSON. */
#include "bench.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *bench_pass_name(bench_pass pass) {
    static const char *const names[] = {"forward", "dx", "dw", "all"};
    return names[pass];
}

static double fraction_of_peak(const bench_run *run, const bench_result *result) {
    return result->gflops / (run->peak_gflops * run->threads);
}

/* The maximum rate of direct evaluation, limited by multiply-adds and by memory, if nothing is in a cache (Williams et al.
 * 2009). */
static double roof(const bench_run *run, const bench_result *result) {
    return fmin(run->peak_gflops, result->intensity * run->memory_rate) * run->threads;
}

static const bench_result *find(const bench_result *results, size_t count, const char *shape, const char *engine, bench_pass pass) {
    for (size_t i = 0; i < count; i++)
        if (results[i].pass == pass && strcmp(results[i].engine, engine) == 0 && strcmp(results[i].shape->name, shape) == 0)
            return &results[i];
    return NULL;
}

/* ---- tables ---- */

static void table_cell(const bench_run *run, const bench_result *result, const bench_result *naive) {
    if (!result) {
        printf(" %23s", "–  ");
        return;
    }
    printf(" %8.1f %5.1f %%", result->gflops, 100 * fraction_of_peak(run, result));
    if (naive)
        printf(" %5.1f×", naive->time.best / result->time.best);
    else
        printf(" %6s", "");
}

static void table_roof(const bench_run *run, const bench_result *results, size_t count) {
    const bench_result *first = results;
    printf("  %-10s", "roofline");
    for (bench_pass pass = 0; pass < BENCH_PASSES; pass++) {
        const bench_result *result = find(results, count, first->shape->name, first->engine, pass);
        if (result)
            printf(" %8.1f %5.1f %% %6s", roof(run, result), 100 * roof(run, result) / (run->peak_gflops * run->threads), "");
    }
    printf("\n");
}

static void table_choices(const bench_result *results, size_t count, const char *shape) {
    printf("  auto chose");
    for (bench_pass pass = 0; pass < BENCH_ALL; pass++) {
        const bench_result *result = find(results, count, shape, "auto", pass);
        printf("%s %s for %s", pass ? "," : "", result->uses, bench_pass_name(pass));
    }
    printf("\n");
}

void bench_conv_table(const bench_run *run, size_t first, size_t count) {
    const bench_result *results = &run->result[first];
    if (count == 0) return;
    const char *shape = results->shape->name;
    const tl_conv1d_spec *spec = &results->shape->spec;
    printf("%s: %zu → %zu channels, kernel %zu, stride %zu, dilation %zu, length %zu, batch %zu, %s padding\n", shape,
           spec->channels, spec->filters, spec->kernel, spec->stride, spec->dilation, spec->length, spec->batch,
           bench_padding_name(spec->padding));
    printf("  %-10s", "");
    for (bench_pass pass = 0; pass < BENCH_PASSES; pass++) printf(" %23s", bench_pass_name(pass));
    printf("\n");
    for (size_t i = 0; i < count; i++) {
        const char *engine = results[i].engine;
        if (i > 0 && strcmp(engine, results[i - 1].engine) == 0) continue;
        printf("  %-10s", engine);
        for (bench_pass pass = 0; pass < BENCH_PASSES; pass++)
            table_cell(run, find(results, count, shape, engine, pass), find(results, count, shape, "naive", pass));
        printf("\n");
    }
    table_roof(run, results, count);
    if (find(results, count, shape, "auto", BENCH_FORWARD)) table_choices(results, count, shape);
    printf("\n");
    fflush(stdout);
}

/* ---- choices of auto ---- */

typedef struct verdict {
    size_t passes;  /* passes with times of auto and of another engine */
    size_t fastest; /* passes in which no engine was more than 2 % faster than the chosen one */
    double mean;    /* geometric mean of the time of the chosen engine divided by that of the fastest */
    double worst;
    const bench_result *chosen, *better; /* the worst choice */
} verdict;

/* Returns the fastest of the named engines; NULL if none was timed. */
static const bench_result *fastest(const bench_run *run, const char *shape, bench_pass pass) {
    const bench_result *best = NULL;
    for (size_t i = 0; i < run->count; i++) {
        const bench_result *result = &run->result[i];
        if (result->pass != pass || strcmp(result->shape->name, shape) != 0 || strcmp(result->engine, "auto") == 0) continue;
        if (!best || result->time.best < best->time.best) best = result;
    }
    return best;
}

/* Compares the time of the chosen engine itself, not that of auto: both run the same code, and the difference would be noise. */
static verdict judge(const bench_run *run) {
    verdict found = {.worst = 1};
    double logarithms = 0;
    for (size_t i = 0; i < run->count; i++) {
        const bench_result *result = &run->result[i];
        if (strcmp(result->engine, "auto") != 0 || result->pass == BENCH_ALL) continue;
        const bench_result *best = fastest(run, result->shape->name, result->pass);
        const bench_result *chosen = find(run->result, run->count, result->shape->name, result->uses, result->pass);
        if (!best || !chosen) continue;
        const double cost = chosen->time.best / best->time.best;
        found.passes++;
        found.fastest += cost <= 1.02;
        logarithms += log(cost);
        if (cost > found.worst) {
            found.worst = cost;
            found.chosen = chosen;
            found.better = best;
        }
    }
    found.mean = found.passes ? exp(logarithms / (double)found.passes) : 1;
    return found;
}

void bench_conv_summary(const bench_run *run) {
    const verdict found = judge(run);
    printf("each cell: GFLOP/s, share of the multiply-add peak, speed-up over naive; padding steps count as work\n");
    printf("%s, %s, %d thread%s; peak %.1f GFLOP/s a thread, BLAS at 1024³ %.1f, memory %.1f GB/s\n", run->isa, run->precision,
           run->threads, run->threads == 1 ? "" : "s", run->peak_gflops, run->blas_gflops, run->memory_rate);
    if (found.passes == 0) return;
    printf("auto chose the fastest engine for %zu of %zu passes; on average its choices take %.3f times as long as the fastest",
           found.fastest, found.passes, found.mean);
    if (found.chosen)
        printf(", at worst %.2f times (%s %s: %s, %s is faster)", found.worst, found.chosen->shape->name,
               bench_pass_name(found.chosen->pass), found.chosen->engine, found.better->engine);
    printf("\n");
}

/* ---- JSON ---- */

static json_t *shape_json(const bench_shape *shape) {
    const tl_conv1d_spec *spec = &shape->spec;
    return json_pack("{ss sI sI sI sI sI sI sI ss}", "name", shape->name, "channels", (json_int_t)spec->channels, "filters",
                     (json_int_t)spec->filters, "kernel", (json_int_t)spec->kernel, "stride", (json_int_t)spec->stride, "dilation",
                     (json_int_t)spec->dilation, "length", (json_int_t)spec->length, "batch", (json_int_t)spec->batch, "padding",
                     bench_padding_name(spec->padding));
}

static json_t *result_json(const bench_run *run, const bench_result *result) {
    json_t *object =
        json_pack("{ss ss ss sf sf sf sI sf sf sf sf}", "name", result->shape->name, "engine", result->engine, "pass",
                  bench_pass_name(result->pass), "ms", result->time.best, "median_ms", result->time.median, "spread",
                  result->time.spread, "samples", (json_int_t)result->time.samples, "gflops", result->gflops, "fraction_of_peak",
                  fraction_of_peak(run, result), "intensity", result->intensity, "roof_gflops", roof(run, result));
    if (result->pass == BENCH_ALL) return object;
    json_object_set_new(object, "checked", json_true());
    json_object_set_new(object, "error", json_real(result->error));
    json_object_set_new(object, "uses", json_string(result->uses));
    return object;
}

static json_t *verdict_json(const bench_run *run) {
    const verdict found = judge(run);
    json_t *object = json_pack("{sI sI sf sf}", "passes", (json_int_t)found.passes, "fastest", (json_int_t)found.fastest,
                               "mean_cost", found.mean, "worst_cost", found.worst);
    if (!found.chosen) return object;
    json_object_set_new(object, "worst",
                        json_pack("{ss ss ss ss}", "name", found.chosen->shape->name, "pass", bench_pass_name(found.chosen->pass),
                                  "chosen", found.chosen->engine, "fastest", found.better->engine));
    return object;
}

json_t *bench_conv_json(const bench_run *run) {
    json_t *shapes = json_array(), *results = json_array(), *together = json_array();
    for (size_t i = 0; i < run->count; i++) {
        const bench_result *result = &run->result[i];
        if (i == 0 || result->shape != run->result[i - 1].shape) json_array_append_new(shapes, shape_json(result->shape));
        json_array_append_new(result->pass == BENCH_ALL ? together : results, result_json(run, result));
    }
    json_t *object = json_pack("{sf sf sf ss ss si so so so}", "peak_gflops", run->peak_gflops, "blas_gflops", run->blas_gflops,
                               "memory_gbps", run->memory_rate, "isa", run->isa, "precision", run->precision, "threads",
                               run->threads, "shapes", shapes, "results", results, "together", together);
    json_object_set_new(object, "auto", verdict_json(run));
    return object;
}
