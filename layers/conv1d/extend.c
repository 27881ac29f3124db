/* Padding with what the series itself holds: as a padded copy, whose gradient is folded back. */
#include "layers/conv1d/variant.h"

#include <string.h>

static const char *const names[] = {
    [TL_PAD_ZEROS] = "zeros", [TL_PAD_REFLECT] = "reflect", [TL_PAD_REPLICATE] = "replicate", [TL_PAD_CIRCULAR] = "circular"};

const char *tl_padding_mode_name(size_t mode) { return mode < sizeof names / sizeof *names ? names[mode] : NULL; }

enum { NOTHING = -1 };

/* The step of a series of `length` that stands at place `position` of the padded one, or NOTHING. */
static ptrdiff_t source_of(const tl_extension *e, size_t position, size_t length) {
    const ptrdiff_t steps = (ptrdiff_t)length, at = (ptrdiff_t)position - (ptrdiff_t)e->pad_left, last = steps - 1;
    if (at >= 0 && at <= last) return at;
    ptrdiff_t from = at < 0 ? 0 : last; /* replicate */
    if (e->mode == TL_PAD_REFLECT) from = at < 0 ? -at : 2 * last - at;
    if (e->mode == TL_PAD_CIRCULAR) from = ((at % steps) + steps) % steps;
    return from >= 0 && from <= last ? from : NOTHING;
}

bool tl_extends(const tl_extension *e, size_t length) {
    return e->mode != TL_PAD_REFLECT || (e->pad_left < length && e->padded - e->pad_left - e->length < length);
}

typedef struct extend_run {
    const tl_extension *extension;
    const size_t *lengths;
    size_t channels;
    const tl_real *from;
    tl_real *to;
} extend_run;

static size_t length_of(const extend_run *run, size_t sample) {
    return run->lengths ? run->lengths[sample] : run->extension->length;
}

static void extend_task(void *context, size_t sample, int worker) {
    (void)worker;
    const extend_run *run = context;
    const tl_extension *e = run->extension;
    const tl_real *x = run->from + sample * e->length * run->channels;
    tl_real *to = run->to + sample * e->padded * run->channels;
    for (size_t position = 0; position < e->padded; position++, to += run->channels) {
        const ptrdiff_t from = source_of(e, position, length_of(run, sample));
        if (from == NOTHING)
            memset(to, 0, run->channels * sizeof *to);
        else
            memcpy(to, x + (size_t)from * run->channels, run->channels * sizeof *to);
    }
}

static void fold_task(void *context, size_t sample, int worker) {
    (void)worker;
    const extend_run *run = context;
    const tl_extension *e = run->extension;
    const tl_real *padded = run->from + sample * e->padded * run->channels;
    tl_real *dx = run->to + sample * e->length * run->channels;
    memset(dx, 0, e->length * run->channels * sizeof *dx);
    for (size_t position = 0; position < e->padded; position++, padded += run->channels) {
        const ptrdiff_t from = source_of(e, position, length_of(run, sample));
        for (size_t c = 0; from != NOTHING && c < run->channels; c++) dx[(size_t)from * run->channels + c] += padded[c];
    }
}

void tl_extend(const tl_extension *extension, const tl_real *x, size_t batch, size_t channels, const size_t *lengths,
               const tl_workers *workers, tl_real *padded) {
    extend_run run = {.extension = extension, .lengths = lengths, .channels = channels, .from = x, .to = padded};
    tl_parallel(workers, batch, (double)batch * (double)extension->padded * (double)channels, extend_task, &run);
}

void tl_fold(const tl_extension *extension, const tl_real *padded, size_t batch, size_t channels, const size_t *lengths,
             const tl_workers *workers, tl_real *dx) {
    extend_run run = {.extension = extension, .lengths = lengths, .channels = channels, .from = padded, .to = dx};
    tl_parallel(workers, batch, (double)batch * (double)extension->padded * (double)channels, fold_task, &run);
}
