/* moments.h: mean and standard deviation without cancellation and overflow. */
#ifndef TL_MOMENTS_H
#define TL_MOMENTS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { TL_MOMENTS_PASSES = 3 };

/* The moments of values that are added in several passes, in the same order. Values are scaled by a power of two near the largest
 * one, so that squares neither overflow nor vanish, and are taken relative to the first one, so that the deviation of a constant is
 * exactly 0. */
typedef struct tl_moments {
    int pass;
    double count, largest, first, sum, squares;
    double unit; /* values are multiplied by it; mean and deviation are those of the products */
    double mean, deviation;
} tl_moments;

static inline void tl_moments_add(tl_moments *self, double value) {
    if (self->pass == 0) {
        if (self->count++ == 0) self->first = value;
        self->largest = fabs(value) > self->largest ? fabs(value) : self->largest; /* NaN is not larger */
    } else if (self->pass == 1)
        self->sum += value * self->unit - self->first;
    else
        self->squares += (value * self->unit - self->mean) * (value * self->unit - self->mean);
}

/* The power of two, at most 2^1000, with which `largest` is from 0.5 to 1; 1 if it is infinite. Short series need it often: the
 * exponents of most numbers are subtracted in their bits, which takes less time than frexp and ldexp. */
static inline double tl_moments_unit(double largest) {
    uint64_t bits;
    double unit;
    int exponent = 0;
    memcpy(&bits, &largest, sizeof bits);
    if (bits >> 52 < 22 || bits >> 52 > 2044) {
        frexp(largest, &exponent);
        return isfinite(largest) ? ldexp(1, exponent < -1000 ? 1000 : -exponent) : 1;
    }
    bits = (2045 - (bits >> 52)) << 52;
    memcpy(&unit, &bits, sizeof unit);
    return unit;
}

/* Ends a pass. */
static inline void tl_moments_next(tl_moments *self) {
    if (self->pass == 0) {
        self->unit = tl_moments_unit(self->largest);
        self->first *= self->unit;
    } else if (self->pass == 1)
        self->mean = self->count > 0 ? self->first + self->sum / self->count : 0;
    else
        self->deviation = self->count > 0 ? sqrt(self->squares / self->count) : 0;
    self->pass++;
}

/* (value - mean) / deviation; 0 for a constant. */
static inline double tl_moments_scale(const tl_moments *self, double value) {
    return (value * self->unit - self->mean) * (self->deviation > 0 ? 1 / self->deviation : 1);
}

#endif
