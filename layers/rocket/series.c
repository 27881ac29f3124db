/* Loads series side by side, one in each lane of a vector. */
#include "layers/rocket/rocket.h"

#include "base/argument.h"

#include <string.h>

size_t tl_rocket_length_of(const tl_rocket_block *b, size_t lane) {
    return b->pass->lengths ? b->pass->lengths[b->sample + lane] : b->layer->base.in[0].length;
}

size_t tl_rocket_steps_of(const tl_rocket_block *b, size_t lane) {
    const size_t length = tl_rocket_length_of(b, lane);
    return length - (b->differences && length > 1);
}

static const tl_real *series_of(const tl_rocket_block *b, size_t lane) {
    const tl_shape in = b->layer->base.in[0];
    return b->pass->x[0].data + (b->sample + lane) * in.length * in.channels;
}

static void load_series(const tl_rocket_block *b, size_t lane, size_t channel) {
    const size_t channels = b->layer->base.in[0].channels, lanes = b->lanes, length = tl_rocket_length_of(b, lane);
    const tl_real *x = series_of(b, lane) + channel;
    tl_real *to = b->padded + channel * b->row + b->margin * lanes + lane;
    for (size_t t = 0; !b->differences && t < length; t++) to[t * lanes] = x[t * channels];
    /* A series of one step has no difference: it is 0. */
    for (size_t t = 0; b->differences && t + 1 < length; t++) to[t * lanes] = x[(t + 1) * channels] - x[t * channels];
}

void tl_rocket_load(tl_rocket_block *b) {
    const tl_shape in = b->layer->base.in[0];
    memset(b->padded, 0, in.channels * b->row * sizeof *b->padded);
    for (size_t lane = 0; lane < b->samples; lane++) {
        b->finite[lane] = tl_finite_count(series_of(b, lane), in.length * in.channels) == in.length * in.channels;
        for (size_t c = 0; c < in.channels; c++) load_series(b, lane, c);
    }
}
