/* Padding with values of the series: a padded copy, whose gradient is added back to the series. */
#include "layers/conv1d/variant.h"

#include "base/argument.h"

#include <string.h>

static const char *const names[] = {[TL_PADDING_MODE_ZEROS] = "zeros",
                                    [TL_PADDING_MODE_REFLECT] = "reflect",
                                    [TL_PADDING_MODE_REPLICATE] = "replicate",
                                    [TL_PADDING_MODE_CIRCULAR] = "circular"};

const char *tl_padding_mode_at(size_t index) { return index < sizeof names / sizeof *names ? names[index] : NULL; }

const char *tl_padding_mode_name(tl_padding_mode mode) { return tl_padding_mode_at((size_t)mode); }

tl_status tl_padding_mode_by_name(const char *name, tl_padding_mode *mode, tl_error *error) {
    return tl_find_name("padding mode", name, tl_padding_mode_at, (int *)mode, error);
}

enum { NOTHING = -1 };

/* Returns the step of a series of `length` steps that is at `position` in the padded series, or NOTHING. */
static ptrdiff_t source_of(const tl_pad_mode *e, size_t position, size_t length) {
    const ptrdiff_t steps = (ptrdiff_t)length, at = (ptrdiff_t)position - (ptrdiff_t)e->pad_left, last = steps - 1;
    if (at >= 0 && at <= last) return at;
    ptrdiff_t from = at < 0 ? 0 : last; /* replicate */
    if (e->mode == TL_PADDING_MODE_REFLECT) from = at < 0 ? -at : 2 * last - at;
    if (e->mode == TL_PADDING_MODE_CIRCULAR) from = ((at % steps) + steps) % steps;
    return from >= 0 && from <= last ? from : NOTHING;
}

bool tl_pad_fits(const tl_pad_mode *e, size_t length) {
    return e->mode != TL_PADDING_MODE_REFLECT || (e->pad_left < length && e->padded - e->pad_left - e->length < length);
}

typedef struct pad_job {
    const tl_pad_mode *pad;
    const size_t *lengths;
    size_t channels;
    const tl_real *from;
    tl_real *to;
} pad_job;

static size_t length_of(const pad_job *job, size_t sample) { return job->lengths ? job->lengths[sample] : job->pad->length; }

static void pad_task(void *context, size_t sample, int worker) {
    (void)worker;
    const pad_job *job = context;
    const tl_pad_mode *e = job->pad;
    const tl_real *x = job->from + sample * e->length * job->channels;
    tl_real *to = job->to + sample * e->padded * job->channels;
    for (size_t position = 0; position < e->padded; position++, to += job->channels) {
        const ptrdiff_t from = source_of(e, position, length_of(job, sample));
        if (from == NOTHING)
            memset(to, 0, job->channels * sizeof *to);
        else
            memcpy(to, x + (size_t)from * job->channels, job->channels * sizeof *to);
    }
}

static void fold_task(void *context, size_t sample, int worker) {
    (void)worker;
    const pad_job *job = context;
    const tl_pad_mode *e = job->pad;
    const tl_real *padded = job->from + sample * e->padded * job->channels;
    tl_real *dx = job->to + sample * e->length * job->channels;
    memset(dx, 0, e->length * job->channels * sizeof *dx);
    for (size_t position = 0; position < e->padded; position++, padded += job->channels) {
        const ptrdiff_t from = source_of(e, position, length_of(job, sample));
        for (size_t c = 0; from != NOTHING && c < job->channels; c++) dx[(size_t)from * job->channels + c] += padded[c];
    }
}

void tl_pad_copy(const tl_pad_mode *pad, const tl_real *x, size_t batch, size_t channels, const size_t *lengths,
                 const tl_workers *workers, tl_real *padded) {
    pad_job job = {.pad = pad, .lengths = lengths, .channels = channels, .from = x, .to = padded};
    tl_parallel(workers, batch, (double)batch * (double)pad->padded * (double)channels, pad_task, &job);
}

void tl_pad_fold(const tl_pad_mode *pad, const tl_real *padded, size_t batch, size_t channels, const size_t *lengths,
                 const tl_workers *workers, tl_real *dx) {
    pad_job job = {.pad = pad, .lengths = lengths, .channels = channels, .from = padded, .to = dx};
    tl_parallel(workers, batch, (double)batch * (double)pad->padded * (double)channels, fold_task, &job);
}
