/* normal.h: the lower tail of the standard normal distribution, for GELU. */
#ifndef TL_NORMAL_H
#define TL_NORMAL_H

#include "kernels/exponential.h"

/* The ratio below as a quotient of polynomials, for sizes up to `far`; beyond, the tail is 0 even with denormal numbers. Of all
 * such quotients it has the smallest maximum relative error (Remez): 2^-27 in single, 2^-54 in double precision. No coefficient is
 * negative, so that nothing cancels. */
#ifdef TAPLINE_F64
enum { TL_NORMAL_TERMS = 10 };
static const tl_real tl_normal_far = 38;
static const double tl_normal_above[TL_NORMAL_TERMS] = {0.5,
                                                        0.77403280356162074,
                                                        0.59282840564516037,
                                                        0.28846327230287644,
                                                        0.097309387635061084,
                                                        0.023503362992962788,
                                                        0.0040640427803527142,
                                                        0.00048676575537661998,
                                                        3.6922811148393181e-05,
                                                        1.3709628350454529e-06};
static const double tl_normal_below[TL_NORMAL_TERMS + 1] = {1,
                                                            2.3459501679260972,
                                                            2.557454230691746,
                                                            1.7104662265354547,
                                                            0.77957872701021647,
                                                            0.25392039110180836,
                                                            0.060127462497389983,
                                                            0.010279596292881509,
                                                            0.0012235772999728901,
                                                            9.2551762401051201e-05,
                                                            3.4364942058048682e-06};
#else
enum { TL_NORMAL_TERMS = 5 };
static const tl_real tl_normal_far = 14;
static const double tl_normal_above[TL_NORMAL_TERMS] = {0.50000000246609244, 0.43556883748739039, 0.18122019920569291,
                                                        0.03995511178099756, 0.0040159050899161918};
static const double tl_normal_below[TL_NORMAL_TERMS + 1] = {
    1, 1.6690225914240067, 1.1941236469733028, 0.46415189057452011, 0.10016003824896962, 0.010066236900017372};
#endif

/* The distribution function at -size is ratio·density, where density is e^(-size²/2). */
typedef struct tl_normal_tail {
    tl_vector ratio, density;
} tl_normal_tail;

/* For 0 ≤ size ≤ tl_normal_far. The square is computed in two parts, since its rounding error would be multiplied by size²/2. */
TL_INLINE tl_normal_tail tl_normal_tail_of(tl_vector size) {
    const tl_mask upper = ~(tl_mask)(tl_vector){0} << ((TL_MANTISSA + 2) / 2);
    const tl_vector high = (tl_vector)((tl_mask)size & upper), low = (size - high) * (size + high);
    const tl_real half = (tl_real)0.5;
    return (tl_normal_tail){.ratio = tl_polynomial(size, tl_normal_above, TL_NORMAL_TERMS) /
                                     tl_polynomial(size, tl_normal_below, TL_NORMAL_TERMS + 1),
                            .density = tl_exponential_decay(-half * high * high, half * low)};
}

#endif
