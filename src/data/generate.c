#include "data/generate.h"

#include <math.h>

/* ---- Cylinder–Bell–Funnel: Saito 1994, "Local feature extraction and its applications using a library of bases" ---- */

enum { CBF_LENGTH = 128 };
enum { CYLINDER, BELL, FUNNEL };

/* (6 + η)·χ[a, b](t)·shape + ε(t), t = 1 …: a in 16 … 32, b - a in 32 … 96; η and ε are standard normal. */
static void draw_cbf(tl_rng *rng, size_t class, tl_real *x) {
    const double a = 16 + tl_rng_below(rng, 17), width = 32 + tl_rng_below(rng, 65), height = 6 + tl_rng_normal(rng);
    for (int t = 1; t <= CBF_LENGTH; t++) {
        const double rise = ((double)t - a) / width, inside = rise >= 0 && rise <= 1;
        const double shape = class == CYLINDER ? 1 : class == BELL ? rise : 1 - rise;
        x[t - 1] = (tl_real)(height * inside * shape + tl_rng_normal(rng));
    }
}

static const char *const cbf_names[] = {"cylinder", "bell", "funnel"};

/* ---- Synthetic control charts: Alcock & Manolopoulos 1999, "Time-series similarity queries employing a feature-based approach"
 * ---- */

enum { CONTROL_LENGTH = 60 };
enum { NORMAL, CYCLIC, INCREASING, DECREASING, UPWARD, DOWNWARD };

static double between(tl_rng *rng, double minimum, double maximum) { return minimum + (maximum - minimum) * tl_rng_uniform(rng); }

/* 30 + 2·r(t), where r is uniform in ±3, plus the pattern of the class: a sine, a trend or a shift. */
static void draw_control(tl_rng *rng, size_t class, tl_real *x) {
    const double pi = 3.14159265358979323846;
    const double amplitude = between(rng, 10, 15), period = between(rng, 10, 15), slope = between(rng, 0.2, 0.5);
    const double shift = between(rng, 7.5, 20), from = between(rng, CONTROL_LENGTH / 3., 2 * CONTROL_LENGTH / 3.);
    for (int t = 1; t <= CONTROL_LENGTH; t++) {
        const double sign = class == DECREASING || class == DOWNWARD ? -1 : 1;
        double added = 0;
        if (class == CYCLIC) added = amplitude * sin(2 * pi * t / period);
        if (class == INCREASING || class == DECREASING) added = sign * slope * t;
        if (class == UPWARD || class == DOWNWARD) added = t >= from ? sign * shift : 0;
        x[t - 1] = (tl_real)(30 + 2 * between(rng, -3, 3) + added);
    }
}

static const char *const control_names[] = {"normal", "cyclic", "increasing", "decreasing", "upward shift", "downward shift"};

const tl_generator tl_generators[] = {
    {"cbf", CBF_LENGTH, 3, {30, 900}, cbf_names, draw_cbf},
    {"synthetic-control", CONTROL_LENGTH, 6, {300, 300}, control_names, draw_control},
};

const size_t tl_generators_count = sizeof tl_generators / sizeof *tl_generators;
