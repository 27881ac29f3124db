#include "io/source.h"

#include "base/math.h"
#include "io/file.h"
#include "io/inflate.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFER = 1 << 16 };

tl_status tl_source_open(tl_source *source, const char *path, tl_error *error) {
    size_t size = 0;
    *source = (tl_source){0};
    if (tl_text_begin(&source->where, path, error) != TL_OK) return error->status;
    source->file = tl_file_open(path, &size, error);
    source->left = size;
    if (source->file) source->buffer = malloc(BUFFER);
    if (source->buffer)
        setvbuf(source->file, source->buffer, _IOFBF, BUFFER);
    else if (source->file)
        tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", path);
    return error->status;
}

void tl_source_close(tl_source *source) {
    tl_inflate_free(source->inflate);
    if (source->file) fclose(source->file);
    free(source->buffer);
    tl_text_release(&source->where);
    *source = (tl_source){0};
}

tl_status tl_source_expected(const tl_source *source, uint64_t back, const char *got, tl_error *error, const char *format, ...) {
    char expected[300];
    tl_text where = source->where;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(expected, sizeof expected, format, arguments);
    va_end(arguments);
    where.offset -= back;
    return tl_text_fail(&where, NULL, error, "expected %s, got %s", expected, got);
}

tl_status tl_source_read(tl_source *source, void *to, size_t count, const char *what, tl_error *error) {
    char got[80];
    if (tl_failed(error)) return error->status;
    if (count > source->left) {
        snprintf(got, sizeof got, "%" PRIu64 " before the end of the %s", source->left, source->inflate ? "member" : "file");
        return tl_source_expected(source, 0, got, error, "%zu bytes of %s", count, what);
    }
    if (source->inflate)
        tl_inflate_read(source->inflate, to, count, count == source->left, &source->where, error);
    else if (fread(to, 1, count, source->file) != count)
        return ferror(source->file) ? tl_fail(error, TL_ERROR_FILE, "%s: %s", source->where.path, strerror(errno))
                                    : tl_source_expected(source, 0, "the end of the file", error, "%s", what);
    source->where.offset += count;
    source->left -= count;
    return error->status;
}

tl_status tl_source_seek(tl_source *source, uint64_t offset, tl_error *error) {
    if (tl_failed(error)) return error->status;
    const uint64_t size = source->where.offset + source->left;
    if (offset > size || fseeko(source->file, (off_t)offset, SEEK_SET) != 0)
        return tl_source_expected(source, 0, "the end of the file", error, "a file of at least %" PRIu64 " bytes", offset);
    source->where.offset = offset;
    source->left = size - offset;
    return TL_OK;
}

/* ---- numbers ---- */

uint64_t tl_integer_of(const unsigned char *bytes, const tl_number_type *type) {
    uint64_t bits = 0;
    for (size_t i = type->size; i-- > 0;) bits = bits << 8 | bytes[type->big ? type->size - 1 - i : i];
    const uint64_t sign = UINT64_C(1) << (8 * type->size - 1);
    return type->kind == TL_SIGNED ? (bits ^ sign) - sign : bits;
}

/* IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
static double half_of(uint64_t bits) {
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023), size = exponent == 31  ? (fraction > 0 ? (double)NAN : HUGE_VAL)
                                                          : exponent == 0 ? ldexp(fraction, -24)
                                                                          : ldexp(fraction + 1024, exponent - 25);
    return bits >> 15 & 1 ? -size : size;
}

static double float_of(uint64_t bits, size_t size) {
    const uint32_t low = (uint32_t)bits;
    double wide;
    float narrow;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &low, sizeof narrow);
    return size == sizeof wide ? wide : size == sizeof narrow ? (double)narrow : half_of(bits);
}

double tl_number_of(const unsigned char *bytes, const tl_number_type *type) {
    const uint64_t bits = tl_integer_of(bytes, type);
    const double value = type->kind == TL_FLOAT    ? float_of(bits, type->size)
                         : type->kind == TL_SIGNED ? (double)(int64_t)bits
                                                   : (double)bits;
    return (value - type->zero) * type->scale;
}

/* Returns whether the numbers in the file have this machine's byte order and a type of C. */
static bool is_native(const tl_number_type *type) {
    static const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return type->kind == TL_FLOAT && type->size >= sizeof(float) && type->big == (first == 0) && type->zero == 0 &&
           type->scale == 1;
}

/* The largest tl_real. */
#define LARGEST (sizeof(tl_real) == sizeof(float) ? (double)FLT_MAX : DBL_MAX)

/* The bits of a float whose exponent says that it is not finite. */
enum { ENDLESS = 0x7F800000 };

/* The following two convert a block of numbers to double, and return whether all are finite as tl_real. The check is of bits, which
 * compilers do for whole vectors. */
static bool convert_floats(const unsigned char *restrict block, size_t count, double *restrict to) {
    uint32_t endless = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        float value;
        memcpy(&bits, block + i * sizeof bits, sizeof bits);
        memcpy(&value, block + i * sizeof value, sizeof value);
        to[i] = (double)value;
        endless |= (bits & ENDLESS) == ENDLESS ? 1u : 0u;
    }
    return endless == 0;
}

static bool convert_doubles(const unsigned char *block, size_t count, double *to) {
    uint64_t endless = 0;
    if (block != (const unsigned char *)to) memcpy(to, block, count * sizeof *to);
    for (size_t i = 0; i < count; i++) endless |= !(fabs((double)(tl_real)to[i]) <= LARGEST);
    return endless == 0;
}

/* Converts a block of native floats or doubles. */
static bool convert(const unsigned char *block, const tl_number_type *type, size_t count, double *to) {
    if (!is_native(type)) return false;
    return type->size == sizeof(float) ? convert_floats(block, count, to) : convert_doubles(block, count, to);
}

bool tl_numbers_of(const unsigned char *bytes, const tl_number_type *type, size_t count, double *to) {
    bool fit = true;
    if (is_native(type)) return convert(bytes, type, count, to);
    for (size_t i = 0; i < count; i++) {
        to[i] = tl_number_of(bytes + i * type->size, type);
        fit = fit && tl_number_fits(to[i]);
    }
    return fit;
}

/* Fails for a number that is not finite, `back` bytes before the next byte of the source. */
static tl_status refuse(const tl_source *source, uint64_t back, double value, tl_error *error) {
    char got[40];
    snprintf(got, sizeof got, "%g", value);
    return tl_source_expected(source, back, got, error, "a finite number%s", isnan(value) ? TL_MISSING_HINT : "");
}

/* The same for any numbers; fails if one is not finite. `count`: numbers before the next byte of the source. */
static tl_status convert_each(const tl_source *source, const unsigned char *block, const tl_number_type *type, size_t count,
                              tl_missing_policy missing, double *to, tl_error *error) {
    for (size_t i = 0; i < count; i++) {
        const double value = tl_number_of(block + i * type->size, type);
        to[i] = value;
        if (!tl_number_fits(value) && (!isnan(value) || missing == TL_MISSING_REFUSE))
            return refuse(source, (count - i) * type->size, value, error);
    }
    return TL_OK;
}

bool tl_number_is_real(const tl_number_type *type) { return is_native(type) && type->size == sizeof(tl_real); }

/* The difference of a number to itself is 0, unless it is not finite. Compilers do this for whole vectors. */
static bool all_finite(const tl_real *values, size_t count) {
    int endless = 0;
    for (size_t i = 0; i < count; i++) endless |= values[i] - values[i] != 0;
    return !endless;
}

tl_status tl_source_reals(tl_source *source, size_t count, tl_real *to, tl_error *error) {
    enum { PART = 4096 }; /* checked while they are in the cache */
    for (size_t done = 0, part; done < count; done += part) {
        part = tl_min(count - done, (size_t)PART);
        if (tl_source_read(source, to + done, part * sizeof *to, "data", error) != TL_OK) return error->status;
        const bool finite = all_finite(to + done, part);
        for (size_t i = done; !finite && i < done + part; i++)
            if (!isfinite(to[i])) return refuse(source, (done + part - i) * sizeof *to, (double)to[i], error);
    }
    return TL_OK;
}

tl_status tl_source_numbers(tl_source *source, const tl_number_type *type, size_t count, tl_missing_policy missing, double *to,
                            tl_error *error) {
    unsigned char block[24576]; /* a multiple of every size of a number */
    const bool direct = is_native(type) && type->size == sizeof *to;
    const size_t maximum = sizeof block / type->size;
    for (size_t done = 0, part; done < count; done += part) {
        part = tl_min(count - done, maximum);
        /* cppcheck-suppress legacyUninitvar ; tl_source_read writes it */
        unsigned char *bytes = direct ? (unsigned char *)(to + done) : block;
        if (tl_source_read(source, bytes, part * type->size, "data", error) != TL_OK) return error->status;
        if (!convert(bytes, type, part, to + done) && convert_each(source, bytes, type, part, missing, to + done, error) != TL_OK)
            return error->status;
    }
    return TL_OK;
}
