/* Scaling of series: names and statistics. */
#include "base/scaling.h"

#include "base/argument.h"
#include "base/memory.h"

#include <string.h>

/* ---- names ---- */

static const char *name_at(size_t index) {
    static const char *const names[] = {"series", "set", "none", NULL};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

static const tl_normalization kinds[] = {TL_NORMALIZE_SERIES, TL_NORMALIZE_SET, TL_NORMALIZE_NONE};

const char *tl_normalization_name(tl_normalization kind) {
    if (kind == TL_NORMALIZE_DEFAULT) kind = TL_NORMALIZE_NONE;
    for (size_t i = 0; name_at(i); i++)
        if (kinds[i] == kind) return name_at(i);
    return NULL;
}

tl_status tl_normalization_by_name(const char *name, tl_normalization *kind, tl_error *error) {
    int index = 0;
    const tl_status status = tl_find_name("normalisation", name, name_at, &index, error);
    if (status == TL_OK) *kind = kinds[index];
    return status;
}

/* ---- statistics ---- */

tl_status tl_scaling_begin(tl_scaling *self, size_t channels, tl_error *error) {
    *self = (tl_scaling){.kind = TL_NORMALIZE_SET};
    self->mean = tl_allocate(channels, sizeof *self->mean, "the means of channels", error);
    self->deviation = tl_allocate(channels, sizeof *self->deviation, "the deviations of channels", error);
    if (tl_failed(error)) tl_scaling_free(self);
    for (size_t c = 0; self->deviation && c < channels; c++) self->deviation[c] = 1;
    return tl_failed(error) ? error->status : TL_OK;
}

tl_status tl_scaling_copy(const tl_scaling *from, size_t channels, tl_scaling *to, tl_error *error) {
    *to = (tl_scaling){.kind = from->kind};
    if (from->kind != TL_NORMALIZE_SET || tl_scaling_begin(to, channels, error) != TL_OK) return error->status;
    memcpy(to->mean, from->mean, channels * sizeof *to->mean);
    memcpy(to->deviation, from->deviation, channels * sizeof *to->deviation);
    return TL_OK;
}

bool tl_scaling_same(const tl_scaling *a, const tl_scaling *b, size_t channels) {
    if ((a->kind == TL_NORMALIZE_SET) != (b->kind == TL_NORMALIZE_SET)) return false;
    if (a->kind != TL_NORMALIZE_SET) return (a->kind == TL_NORMALIZE_SERIES) == (b->kind == TL_NORMALIZE_SERIES);
    return memcmp(a->mean, b->mean, channels * sizeof *a->mean) == 0 &&
           memcmp(a->deviation, b->deviation, channels * sizeof *a->deviation) == 0;
}

void tl_scaling_free(tl_scaling *scaling) {
    if (!scaling) return;
    tl_release(scaling->mean);
    tl_release(scaling->deviation);
    *scaling = (tl_scaling){0};
}
