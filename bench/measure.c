/* Repeated measurements. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

enum { TRIAD = 4 << 20 }; /* elements of each of three arrays: 96 MiB together */

double bench_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void bench_once(bench_samples *samples, bench_work work, void *context) {
    const double start = bench_seconds();
    work(context);
    const double spent = bench_seconds() - start;
    if (samples->count < BENCH_SAMPLES) samples->seconds[samples->count++] = spent;
}

static double spent(const bench_samples *samples) {
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++) sum += samples->seconds[i];
    return sum;
}

void bench_round(bench_samples *samples, bench_work work, void *context, double seconds) {
    if (spent(samples) >= seconds || samples->count == BENCH_SAMPLES) return;
    work(context);
    const double end = bench_seconds() + seconds / BENCH_ROUNDS;
    do bench_once(samples, work, context);
    while (bench_seconds() < end && samples->count < BENCH_SAMPLES);
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Returns the value below which that share of the sorted samples lies, interpolated between two of them. */
static double quantile(const double *sorted, size_t count, double share) {
    const double at = share * (double)(count - 1);
    const size_t below = (size_t)at, above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (at - (double)below) * (sorted[above] - sorted[below]);
}

bench_timing bench_summary(bench_samples *samples) {
    const double *sorted = samples->seconds;
    const size_t count = samples->count;
    qsort(samples->seconds, count, sizeof *samples->seconds, ascending);
    const double median = quantile(sorted, count, 0.5);
    return (bench_timing){.best = 1e3 * sorted[0],
                          .median = 1e3 * median,
                          .spread = (quantile(sorted, count, 0.75) - quantile(sorted, count, 0.25)) / median,
                          .samples = count};
}

static void triad(void *context) {
    double *restrict a = context;
    const double *restrict b = a + TRIAD, *restrict c = b + TRIAD;
    for (size_t i = 0; i < TRIAD; i++) a[i] = b[i] + 0.5 * c[i];
}

double bench_memory_rate(double seconds) {
    double *arrays = calloc(3 * (size_t)TRIAD, sizeof *arrays);
    bench_samples *samples = calloc(1, sizeof *samples);
    double rate = 0;
    for (size_t i = 0; arrays && i < 3 * (size_t)TRIAD; i++)
        arrays[i] = 1; /* gives the arrays pages of their own instead of the system's zero page */
    if (arrays && samples) {
        bench_round(samples, triad, arrays, seconds * BENCH_ROUNDS);
        rate = 3.0 * TRIAD * sizeof *arrays / bench_summary(samples).best / 1e6;
    }
    free(samples);
    free(arrays);
    return rate;
}
