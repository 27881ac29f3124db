#include "picture/scale.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The smallest of 1, 2, 5, 10 times a power of ten that is at least `least`. */
static double round_step(double least) {
    const double power = pow(10, floor(log10(least))), digits = least / power;
    return power * (digits <= 1.0000001 ? 1 : digits <= 2.0000001 ? 2 : digits <= 5.0000001 ? 5 : 10);
}

static scale make_linear(double minimum, double maximum, size_t ticks, bool round) {
    scale self = {.from = minimum, .to = maximum};
    const double least = fmax(fabs(minimum), fabs(maximum)) * 1e-9;
    if (!(maximum - minimum > least)) { /* a constant: a range around it */
        const double margin = fmax(fabs(minimum) * 0.1, minimum == 0 ? 1 : DBL_MIN * 1e6);
        self.from -= margin;
        self.to += margin;
    }
    self.step = round_step((self.to - self.from) / (double)(ticks > 1 ? ticks : 2));
    if (!round) return self;
    self.from = floor(self.from / self.step + 1e-9) * self.step;
    self.to = ceil(self.to / self.step - 1e-9) * self.step;
    return self;
}

/* 1, 2 and 5 times powers of ten: returns the next one from `value` in a direction, or `value` if it is one. */
static double round_logarithm(double value, bool up) {
    const double power = pow(10, floor(log10(value) + 1e-9)), digits = value / power;
    if (up) return power * (digits < 1.0000001 ? 1 : digits < 2.0000001 ? 2 : digits < 5.0000001 ? 5 : 10);
    return power * (digits > 4.9999999 ? 5 : digits > 1.9999999 ? 2 : 1);
}

scale scale_make(double minimum, double maximum, size_t ticks, bool logarithmic, bool round) {
    if (!isfinite(minimum) || !isfinite(maximum) || minimum > maximum) minimum = 0, maximum = 1;
    minimum = fmax(minimum, -DBL_MAX / 4);
    maximum = fmin(maximum, DBL_MAX / 4);
    if (!logarithmic || minimum < DBL_MIN * 1e9) return make_linear(minimum, maximum, ticks, round);
    scale self = {.from = minimum, .to = maximum, .logarithmic = true};
    if (round) {
        self.from = round_logarithm(minimum, false);
        self.to = round_logarithm(maximum, true);
    }
    if (self.to < self.from * 2) self.to = self.from * 2;
    return self;
}

double scale_place(const scale *self, double value) {
    if (self->logarithmic) return value > 0 ? log(value / self->from) / log(self->to / self->from) : 0;
    return (value - self->from) / (self->to - self->from);
}

static size_t linear_ticks(const scale *self, double at[SCALE_TICKS]) {
    size_t count = 0;
    const double first = ceil(self->from / self->step - 1e-9);
    while (count < SCALE_TICKS && (first + (double)count) * self->step <= self->to + 1e-9 * self->step) {
        const double number = first + (double)count;
        at[count++] = fabs(number) < 0.5 ? 0 : number * self->step;
    }
    return count;
}

/* Up to two decades: 1, 2 and 5 times powers of ten; otherwise the powers, every so many of them. */
static size_t logarithmic_ticks(const scale *self, double at[SCALE_TICKS]) {
    static const double digits[] = {1, 2, 5};
    const double decades = log10(self->to / self->from);
    const int all = decades < 2.5 ? 3 : 1, every = decades > 7 ? (int)ceil(decades / 7) : 1;
    const int last = (int)ceil(log10(self->to) + 1e-9);
    size_t count = 0;
    for (int power = (int)floor(log10(self->from) + 1e-9); power <= last; power += every)
        for (int d = 0; d < all && count < SCALE_TICKS; d++) {
            const double value = digits[d] * pow(10, power);
            if (value >= self->from * 0.9999999 && value <= self->to * 1.0000001) at[count++] = value;
        }
    return count;
}

size_t scale_ticks(const scale *self, double at[SCALE_TICKS]) {
    return self->logarithmic ? logarithmic_ticks(self, at) : linear_ticks(self, at);
}

/* "2e-05" becomes "2e-5", "1e+06" becomes "1e6". */
static void shorten_exponent(char *text) {
    char *e = strchr(text, 'e');
    if (!e) return;
    char *digits = e + 1 + (e[1] == '-'), *from = e + 2;
    while (*from == '0' && from[1]) from++;
    memmove(digits, from, strlen(from) + 1);
}

void scale_label(const scale *self, double at, char text[SCALE_LABEL]) {
    const double largest = fmax(fabs(self->from), fabs(self->to));
    if (at == 0)
        snprintf(text, SCALE_LABEL, "0");
    else if (self->logarithmic || largest >= 1e6 || largest < 1e-3) {
        snprintf(text, SCALE_LABEL, "%.4g", at);
        shorten_exponent(text);
    } else {
        const int decimals = (int)fmax(0, -floor(log10(self->step) + 1e-9));
        snprintf(text, SCALE_LABEL, "%.*f", decimals < 9 ? decimals : 9, at);
    }
}
