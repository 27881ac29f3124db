/* Reads decimal numbers, correctly rounded: the same results as strtod, several times faster. */
#include "io/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MIN_POWER = -44, MAX_POWER = 44, DIGITS = 19 /* digits that fit in 64 bits */ };

/* The first 128 bits of 5^q, for q from MIN_POWER to MAX_POWER; rounded up for negative q. (D. Lemire, Number parsing at a gigabyte
 * per second, 2021) */
static const uint64_t powers[MAX_POWER - MIN_POWER + 1][2] = {
    {0xe45c10c42a2b3b05, 0x8cb89a7db77c506a}, {0x8eb98a7a9a5b04e3, 0x77f3608e92adb242}, {0xb267ed1940f1c61c, 0x55f038b237591ed3},
    {0xdf01e85f912e37a3, 0x6b6c46dec52f6688}, {0x8b61313bbabce2c6, 0x2323ac4b3b3da015}, {0xae397d8aa96c1b77, 0xabec975e0a0d081a},
    {0xd9c7dced53c72255, 0x96e7bd358c904a21}, {0x881cea14545c7575, 0x7e50d64177da2e54}, {0xaa242499697392d2, 0xdde50bd1d5d0b9e9},
    {0xd4ad2dbfc3d07787, 0x955e4ec64b44e864}, {0x84ec3c97da624ab4, 0xbd5af13bef0b113e}, {0xa6274bbdd0fadd61, 0xecb1ad8aeacdd58e},
    {0xcfb11ead453994ba, 0x67de18eda5814af2}, {0x81ceb32c4b43fcf4, 0x80eacf948770ced7}, {0xa2425ff75e14fc31, 0xa1258379a94d028d},
    {0xcad2f7f5359a3b3e, 0x096ee45813a04330}, {0xfd87b5f28300ca0d, 0x8bca9d6e188853fc}, {0x9e74d1b791e07e48, 0x775ea264cf55347e},
    {0xc612062576589dda, 0x95364afe032a819e}, {0xf79687aed3eec551, 0x3a83ddbd83f52205}, {0x9abe14cd44753b52, 0xc4926a9672793543},
    {0xc16d9a0095928a27, 0x75b7053c0f178294}, {0xf1c90080baf72cb1, 0x5324c68b12dd6339}, {0x971da05074da7bee, 0xd3f6fc16ebca5e04},
    {0xbce5086492111aea, 0x88f4bb1ca6bcf585}, {0xec1e4a7db69561a5, 0x2b31e9e3d06c32e6}, {0x9392ee8e921d5d07, 0x3aff322e62439fd0},
    {0xb877aa3236a4b449, 0x09befeb9fad487c3}, {0xe69594bec44de15b, 0x4c2ebe687989a9b4}, {0x901d7cf73ab0acd9, 0x0f9d37014bf60a11},
    {0xb424dc35095cd80f, 0x538484c19ef38c95}, {0xe12e13424bb40e13, 0x2865a5f206b06fba}, {0x8cbccc096f5088cb, 0xf93f87b7442e45d4},
    {0xafebff0bcb24aafe, 0xf78f69a51539d749}, {0xdbe6fecebdedd5be, 0xb573440e5a884d1c}, {0x89705f4136b4a597, 0x31680a88f8953031},
    {0xabcc77118461cefc, 0xfdc20d2b36ba7c3e}, {0xd6bf94d5e57a42bc, 0x3d32907604691b4d}, {0x8637bd05af6c69b5, 0xa63f9a49c2c1b110},
    {0xa7c5ac471b478423, 0x0fcf80dc33721d54}, {0xd1b71758e219652b, 0xd3c36113404ea4a9}, {0x83126e978d4fdf3b, 0x645a1cac083126ea},
    {0xa3d70a3d70a3d70a, 0x3d70a3d70a3d70a4}, {0xcccccccccccccccc, 0xcccccccccccccccd}, {0x8000000000000000, 0x0000000000000000},
    {0xa000000000000000, 0x0000000000000000}, {0xc800000000000000, 0x0000000000000000}, {0xfa00000000000000, 0x0000000000000000},
    {0x9c40000000000000, 0x0000000000000000}, {0xc350000000000000, 0x0000000000000000}, {0xf424000000000000, 0x0000000000000000},
    {0x9896800000000000, 0x0000000000000000}, {0xbebc200000000000, 0x0000000000000000}, {0xee6b280000000000, 0x0000000000000000},
    {0x9502f90000000000, 0x0000000000000000}, {0xba43b74000000000, 0x0000000000000000}, {0xe8d4a51000000000, 0x0000000000000000},
    {0x9184e72a00000000, 0x0000000000000000}, {0xb5e620f480000000, 0x0000000000000000}, {0xe35fa931a0000000, 0x0000000000000000},
    {0x8e1bc9bf04000000, 0x0000000000000000}, {0xb1a2bc2ec5000000, 0x0000000000000000}, {0xde0b6b3a76400000, 0x0000000000000000},
    {0x8ac7230489e80000, 0x0000000000000000}, {0xad78ebc5ac620000, 0x0000000000000000}, {0xd8d726b7177a8000, 0x0000000000000000},
    {0x878678326eac9000, 0x0000000000000000}, {0xa968163f0a57b400, 0x0000000000000000}, {0xd3c21bcecceda100, 0x0000000000000000},
    {0x84595161401484a0, 0x0000000000000000}, {0xa56fa5b99019a5c8, 0x0000000000000000}, {0xcecb8f27f4200f3a, 0x0000000000000000},
    {0x813f3978f8940984, 0x4000000000000000}, {0xa18f07d736b90be5, 0x5000000000000000}, {0xc9f2c9cd04674ede, 0xa400000000000000},
    {0xfc6f7c4045812296, 0x4d00000000000000}, {0x9dc5ada82b70b59d, 0xf020000000000000}, {0xc5371912364ce305, 0x6c28000000000000},
    {0xf684df56c3e01bc6, 0xc732000000000000}, {0x9a130b963a6c115c, 0x3c7f400000000000}, {0xc097ce7bc90715b3, 0x4b9f100000000000},
    {0xf0bdc21abb48db20, 0x1e86d40000000000}, {0x96769950b50d88f4, 0x1314448000000000}, {0xbc143fa4e250eb31, 0x17d955a000000000},
    {0xeb194f8e1ae525fd, 0x5dcfab0800000000}, {0x92efd1b8d0cf37be, 0x5aa1cae500000000}, {0xb7abc627050305ad, 0xf14a3d9e40000000},
    {0xe596b7b0c643c719, 0x6d9ccd05d0000000}, {0x8f7e32ce7bea5c6f, 0xe4820023a2000000},
};

/* ---- the digits ---- */

/* digits · 10^power. `cut`: further digits did not fit and are missing. */
typedef struct decimal {
    uint64_t digits;
    int power;
    bool negative, cut;
} decimal;

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* Adds the digits from `at` on and returns the end of them. *count: digits so far, from the first one that is not zero. */
static const char *add_digits(const char *at, const char *end, decimal *to, int *count, bool fraction) {
    for (; at < end && is_digit(*at); at++) {
        if (*count >= DIGITS) {
            to->cut |= *at != '0';
            to->power += !fraction;
            continue;
        }
        to->digits = to->digits * 10 + (uint64_t)(*at - '0');
        *count += to->digits > 0;
        to->power -= fraction;
    }
    return at;
}

/* After an e. Returns NULL if there is no exponent. */
static const char *add_exponent(const char *at, const char *end, decimal *to) {
    int exponent = 0;
    const bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+')) at++;
    if (at == end || !is_digit(*at)) return NULL;
    for (; at < end && is_digit(*at); at++)
        if (exponent < 100000) exponent = exponent * 10 + (*at - '0');
    to->power += negative ? -exponent : exponent;
    return at;
}

/* Returns the end of the number; NULL if there is none. */
static const char *read_decimal(const char *at, const char *end, char point, decimal *to) {
    int count = 0;
    *to = (decimal){.negative = at < end && *at == '-'};
    if (at < end && (*at == '-' || *at == '+')) at++;
    const char *begin = at;
    at = add_digits(at, end, to, &count, false);
    size_t digits = (size_t)(at - begin);
    if (at < end && *at == point) {
        begin = ++at;
        at = add_digits(at, end, to, &count, true);
        digits += (size_t)(at - begin);
    }
    if (digits == 0) return NULL;
    return at < end && (*at == 'e' || *at == 'E') ? add_exponent(at + 1, end, to) : at;
}

/* ---- the number ---- */

/* The result is exact, because both operands are exact and one operation rounds once (W. D. Clinger, How to read floating point
 * numbers accurately, 1990). */
static bool is_short(const decimal *from, double *value) {
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (from->cut || from->digits > UINT64_C(1) << 53 || from->power < -22 || from->power > 22) return false;
    *value = from->power < 0 ? (double)from->digits / tens[-from->power] : (double)from->digits * tens[from->power];
    return true;
}

typedef struct product {
    uint64_t high, low;
} product;

static product multiply(uint64_t a, uint64_t b) {
    __extension__ typedef unsigned __int128 wide;
    const wide all = (wide)a * b;
    return (product){(uint64_t)(all >> 64), (uint64_t)all};
}

/* The first bits of digits · 5^power, where the first bit of digits is 1. At least 55 of them are right, unless the remaining bits
 * are all ones. */
static product scale(uint64_t digits, int power) {
    const uint64_t *of = powers[power - MIN_POWER], rest = UINT64_MAX >> 55;
    product all = multiply(digits, of[0]);
    if ((all.high & rest) != rest) return all;
    const product second = multiply(digits, of[1]);
    all.low += second.high;
    all.high += second.high > all.low;
    return all;
}

/* The algorithm of Eisel and Lemire. Returns false if it cannot decide, or if the number is not normal. */
static bool is_near(uint64_t digits, int power, double *value) {
    if (digits == 0 || power < MIN_POWER || power > MAX_POWER) return false;
    const int zeros = __builtin_clzll(digits);
    const product all = scale(digits << zeros, power);
    if (all.low == UINT64_MAX && (power < -27 || power > 55)) return false;
    const int first = (int)(all.high >> 63);
    const int shift = first + 64 - 52 - 3;
    uint64_t mantissa = all.high >> shift;
    /* 217706 / 65536 approximates log2(10); the shift of 2000 makes the division one of a positive number, which rounds down. */
    int exponent = (217706 * power + (2000 << 16)) / 65536 - 2000 + 63 + first - zeros + 1023;
    if (exponent <= 0) return false;
    if (all.low <= 1 && power >= -4 && power <= 23 && (mantissa & 3) == 1 && mantissa << shift == all.high)
        mantissa &= ~UINT64_C(1); /* a tie is rounded to even */
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    if (mantissa >> 53) mantissa >>= 1, exponent++;
    if (exponent >= 0x7FF) return false;
    const uint64_t bits = (mantissa & ((UINT64_C(1) << 52) - 1)) | (uint64_t)exponent << 52;
    memcpy(value, &bits, sizeof *value);
    return true;
}

/* If digits were cut off, the number lies between these digits and the next larger ones: if both give the same result, it is
 * right. */
static bool is_near_either(const decimal *from, double *value) {
    double next;
    if (!is_near(from->digits, from->power, value)) return false;
    return !from->cut || (is_near(from->digits + 1, from->power, &next) && next == *value);
}

/* Calls the C library with a copy that has a decimal point. */
static bool read_slowly(const char *begin, const char *end, char point, locale_t locale, double *value) {
    char small[128], *stop;
    const size_t length = (size_t)(end - begin);
    char *copy = length < sizeof small ? small : malloc(length + 1);
    if (!copy) return false;
    memcpy(copy, begin, length);
    copy[length] = '\0';
    char *at = point == '.' ? NULL : memchr(copy, point, length);
    if (at) *at = '.';
    *value = strtod_l(copy, &stop, locale);
    const bool whole = stop == copy + length;
    if (copy != small) free(copy);
    return whole;
}

static bool is_fast(const decimal *read, double *value) {
    if (!is_short(read, value) && !is_near_either(read, value)) return false;
    if (read->negative) *value = -*value;
    return true;
}

bool tl_number_read(const char *begin, const char *end, char point, locale_t locale, double *value) {
    decimal read;
    if (read_decimal(begin, end, point, &read) != end) return false;
    return is_fast(&read, value) || read_slowly(begin, end, point, locale, value);
}

const char *tl_number_scan(const char *begin, const char *end, char point, double *value) {
    decimal read;
    const char *behind = read_decimal(begin, end, point, &read);
    return behind && is_fast(&read, value) ? behind : NULL;
}
