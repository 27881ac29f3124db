/* MiniRocket's convolutions of several series side by side, one in each lane: sums of what its kernels share, and counts of the
 * outputs above each bias. Counts are integers and sums go in one order, so that all instruction sets give the same bits.
 */
#include "kernels/kernel.h"

/* Whole numbers in lanes: a comparison that holds is -1. */
#ifdef TAPLINE_F64
typedef int64_t whole __attribute__((vector_size(TL_VECTOR_BYTES)));
#else
typedef int32_t whole __attribute__((vector_size(TL_VECTOR_BYTES)));
#endif

void TL_KERNEL(tl_kernel_rocket_sum)(const tl_rocket_sum *sum);
void TL_KERNEL(tl_kernel_rocket_sum)(const tl_rocket_sum *sum) {
    const tl_real *a = sum->term[0], *b = sum->term[1], *c = sum->term[2], *d = sum->term[3];
    for (size_t i = 0; i < sum->count; i += TL_LANES) {
        tl_vector total = tl_load(a + i) + tl_load(b + i) + tl_load(c + i) + tl_load(d + i);
        if (sum->more) total += tl_load(sum->out + i);
        tl_store(sum->out + i, total);
    }
}

/* `biases` of them at a time; a constant where it is inlined. */
TL_INLINE void count_some(const tl_rocket_count *run, size_t first, const int biases) {
    tl_vector bias[8];
    whole count[8];
    TL_UNROLL for (int f = 0; f < biases; f++) {
        bias[f] = tl_broadcast(run->bias[first + (size_t)f]);
        count[f] = (whole){0};
    }
    for (size_t t = 0; t < run->steps; t++) {
        const tl_vector output = tl_load(run->output + t * TL_LANES);
        TL_UNROLL for (int f = 0; f < biases; f++) count[f] -= (whole)(output > bias[f]);
    }
    const tl_vector outputs = tl_load(run->outputs);
    TL_UNROLL for (int f = 0; f < biases; f++)
        tl_store(run->pooled + (first + (size_t)f) * TL_LANES, __builtin_convertvector(count[f], tl_vector) / outputs);
}

void TL_KERNEL(tl_kernel_rocket_count)(const tl_rocket_count *run);
void TL_KERNEL(tl_kernel_rocket_count)(const tl_rocket_count *run) {
    size_t f = 0;
    for (; f + 8 <= run->biases; f += 8) count_some(run, f, 8);
    if (run->biases & 4) count_some(run, f, 4);
    f += run->biases & 4;
    if (run->biases & 2) count_some(run, f, 2);
    f += run->biases & 2;
    if (run->biases & 1) count_some(run, f, 1);
}

/* ---- MultiRocket's four statistics ---- */

typedef struct pool {
    tl_vector bias, sum, places;
    whole count, run, longest;
} pool;

TL_INLINE void pool_step(pool *p, tl_vector output, tl_vector place) {
    const whole above = (whole)(output > p->bias);
    p->count -= above;
    p->sum += (tl_vector)(above & (whole)(output - p->bias));
    p->places += (tl_vector)(above & (whole)place);
    p->run = (p->run - above) & above;
    const whole longer = (whole)(p->run > p->longest);
    p->longest = (longer & p->run) | (~longer & p->longest);
}

static inline tl_vector as_real(whole number) { return __builtin_convertvector(number, tl_vector); }

TL_INLINE void pool_store(const pool *p, const tl_rocket_count *run, size_t f) {
    const size_t row = run->biases * TL_LANES;
    const tl_vector count = as_real(p->count), one = tl_broadcast(1);
    const tl_mask some = count > (tl_vector){0};
    const tl_vector divisor = tl_choose(some, count, one), place = p->places / divisor - tl_load(run->skipped);
    tl_real *to = run->pooled + f * TL_LANES;
    tl_store(to, count / tl_load(run->outputs));
    tl_store(to + row, p->sum / divisor);
    tl_store(to + 2 * row, tl_choose(some, place, -one));
    tl_store(to + 3 * row, as_real(p->longest));
}

TL_INLINE void pool_some(const tl_rocket_count *run, size_t first, const int biases) {
    pool p[2];
    TL_UNROLL for (int f = 0; f < biases; f++) p[f] = (pool){.bias = tl_broadcast(run->bias[first + (size_t)f])};
    tl_vector place = {0};
    for (size_t t = 0; t < run->steps; t++, place += 1) {
        const tl_vector output = tl_load(run->output + t * TL_LANES);
        TL_UNROLL for (int f = 0; f < biases; f++) pool_step(&p[f], output, place);
    }
    TL_UNROLL for (int f = 0; f < biases; f++) pool_store(&p[f], run, first + (size_t)f);
}

void TL_KERNEL(tl_kernel_rocket_pool)(const tl_rocket_count *run);
void TL_KERNEL(tl_kernel_rocket_pool)(const tl_rocket_count *run) {
    for (size_t f = 0; f + 2 <= run->biases; f += 2) pool_some(run, f, 2);
    if (run->biases & 1) pool_some(run, run->biases - 1, 1);
}

/* ---- Hydra's groups ---- */

enum { TAPS = 9, COMPETING = TL_HYDRA_KERNELS };

/* The outputs of all kernels of a group at one step. */
TL_INLINE void compete(const tl_rocket_group *g, size_t t, tl_vector *output) {
    TL_UNROLL for (int k = 0; k < COMPETING; k++) output[k] = (tl_vector){0};
    TL_UNROLL for (int tap = 0; tap < TAPS; tap++) {
        const tl_vector x = tl_load(g->x + t * TL_LANES + (size_t)tap * g->stride);
        TL_UNROLL for (int k = 0; k < COMPETING; k++) output[k] += x * tl_broadcast(g->weight[tap * COMPETING + k]);
    }
}

TL_INLINE whole choose_whole(whole mask, whole a, whole b) { return (mask & a) | (~mask & b); }

/* Which kernel has the largest output (where `smallest`, the smallest), the first of several, and what it is; -1 in lanes that do
 * not count. */
TL_INLINE whole winner(const tl_vector *output, whole counts, const bool smallest, tl_vector *value) {
    whole first = {0};
    *value = output[0];
    TL_UNROLL for (int k = 1; k < COMPETING; k++) {
        const whole better = smallest ? (whole)(output[k] < *value) : (whole)(output[k] > *value);
        *value = (tl_vector)choose_whole(better, (whole)output[k], (whole)*value);
        first = choose_whole(better, (whole){0} + k, first);
    }
    return choose_whole(counts, first, (whole){0} - 1);
}

void TL_KERNEL(tl_kernel_rocket_compete)(const tl_rocket_group *g);
void TL_KERNEL(tl_kernel_rocket_compete)(const tl_rocket_group *g) {
    tl_vector largest[COMPETING], output[COMPETING], value, place = {0};
    whole smallest[COMPETING];
    const tl_vector counted = tl_load(g->counted);
    TL_UNROLL for (int k = 0; k < COMPETING; k++) {
        largest[k] = (tl_vector){0};
        smallest[k] = (whole){0};
    }
    for (size_t t = 0; t < g->steps; t++, place += 1) {
        const whole counts = (whole)(place < counted);
        compete(g, t, output);
        const whole high = winner(output, counts, false, &value);
        TL_UNROLL for (int k = 0; k < COMPETING; k++) largest[k] += (tl_vector)((whole)(high == k) & (whole)value);
        const whole low = winner(output, counts, true, &value);
        TL_UNROLL for (int k = 0; k < COMPETING; k++) smallest[k] -= (whole)(low == k);
    }
    TL_UNROLL for (int k = 0; k < COMPETING; k++) {
        tl_store(g->counts + k * TL_LANES, largest[k]);
        tl_store(g->counts + (COMPETING + k) * TL_LANES, as_real(smallest[k]));
    }
}
