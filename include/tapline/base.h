/* tapline/base.h: the scalar type, the export macro, the version, errors.
 *
 * The library is built twice from the same sources: with tl_real = float, and with tl_real = double where TAPLINE_F64 is defined.
 * The CMake target tapline::tapline_f64 defines it. Every linked symbol of the double build has the suffix _f64. A program may
 * therefore link both builds, and a source file that mixes them fails to link.
 */
#ifndef TAPLINE_BASE_H
#define TAPLINE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef TAPLINE_F64
#include <tapline/names_f64.h> /* made by the build from the symbols of the float library */
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define TL_VERSION_MAJOR 0
#define TL_VERSION_MINOR 1
#define TL_VERSION_PATCH 0
/* The version of these headers as one number: version 1.2.3 is 10203. tl_version_number returns that of the linked library. */
#define TL_VERSION_NUMBER (TL_VERSION_MAJOR * 10000 + TL_VERSION_MINOR * 100 + TL_VERSION_PATCH)

#if defined(__GNUC__)
#define TL_API __attribute__((visibility("default")))
#define TL_PRINTF(text, values) __attribute__((format(printf, text, values)))
#else
#define TL_API
#define TL_PRINTF(text, values)
#endif
/* The function stores the pointer and does not read through it: the elements may still be uninitialised. */
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define TL_KEEPS(pointer) __attribute__((access(none, pointer)))
#else
#define TL_KEEPS(pointer)
#endif

#ifdef TAPLINE_F64
typedef double tl_real;
#else
typedef float tl_real;
#endif

/* Marks the functions of the advanced headers (layer.h, conv1d.h, gradient_check.h, machine.h, profile.h), for programs that add
 * layers or measure. Before version 1.0 a minor version may change these functions; the changelog then says so. All other functions
 * are marked TL_API. */
#define TL_ADVANCED TL_API

/* Thread safety: several threads may use different objects at the same time. An object that a function creates (tl_model,
 * tl_stream, tl_schedule, tl_ensemble, tl_csv_log, tl_rate_curve, tl_conv1d_plan) is used by one thread at a time. Structs of the
 * caller (configurations, results, tl_dataset, tl_tensor) may be read by several threads at the same time; a function that takes
 * one as `const` only reads it. Each thread has its own tl_error and tl_rng. Functions without an object may be called by any
 * thread at any time, except tl_set_allocator. */

/* Integer types: sizes, and counts of what has a size in memory (steps, channels, filters, samples, bytes), are size_t. Numbers of
 * threads, epochs and steps of a schedule are int. */

/* How structs may grow: a later version of the library may add fields at the end of a configuration or result struct. A function
 * that takes such a struct is an inline function NAME, which calls NAME_sized with the size of the struct at compile time. The
 * library reads fields beyond that size as zero, and does not write them. A program therefore works with a later library without
 * being compiled again. Programs in other languages (ctypes and other foreign-function interfaces) call NAME_sized themselves, with
 * sizes in bytes. Structs that are passed by value (tl_node, tl_shape, tl_tensor, tl_parameter) and those named tl_…_sizes never
 * grow. A member `reserved` is padding at the end of a struct with a name, so that it is zero; later versions do not use it. A
 * member `reserved` is space for later fields in structs that are passed without their size: it must be NULL. */

/* The kind of an error; tl_error.text describes the error itself. */
typedef enum tl_status {
    TL_OK = 0,
    TL_ERROR_ARGUMENT, /* a value is out of range */
    TL_ERROR_SHAPE,    /* shapes of arrays or layers do not match, or a size overflows */
    TL_ERROR_STATE,    /* calls in the wrong order, such as backward before forward */
    TL_ERROR_NUMERIC,  /* a loss, gradient, statistic or parameter is not finite */
    TL_ERROR_MEMORY,   /* an allocation failed */
    TL_ERROR_FILE,     /* the operating system could not open, read or write a file */
    TL_ERROR_FORMAT    /* the contents of a file are invalid */
} tl_status;

/* An error. The caller owns it and initialises it: `tl_error error = {0};`.
 *
 * An error is sticky: it keeps the first failure. A function that is called with an error that is already set does nothing and
 * returns its failure value. A program may therefore check a sequence of calls once, at its end. Functions that take a
 * `tl_error *` accept NULL: they still return the failure, without its text.
 *
 * A function that creates an object (model, data set, ensemble, log …) returns NULL on failure. That NULL may be passed to other
 * functions: those that can fail report it, the others return 0 or do nothing. Functions that can fail also report a path or an
 * array that is NULL where NULL is not allowed.
 */
typedef struct tl_error {
    tl_status status;
    char text[500]; /* one line without a newline: what is wrong, the value found and the limit */
} tl_error;

/* Sets the error and returns `status`; an error that is already set stays as it is. `format` is that of printf; control characters
 * in the text become "?". */
TL_API tl_status tl_fail(tl_error *error, tl_status status, const char *format, ...) TL_PRINTF(3, 4);

/* Returns whether the error is set; false for NULL. */
TL_API bool tl_failed(const tl_error *error);

/* For "did you mean …?": returns the candidate that is most similar to a misspelt `text`. At most a third of the letters may differ
 * (one letter of a short name); NULL where no candidate is that similar. `candidate`(context, index) returns the candidate of each
 * index 0, 1 …, and NULL after the last one. */
typedef const char *(*tl_candidate)(const void *context, size_t index);
TL_API const char *tl_suggest(const char *text, tl_candidate candidate, const void *context);

/* Returns the version of the linked library, such as "0.1.0". */
TL_API const char *tl_version(void);

/* Returns the version of the linked library as a number, in the form of TL_VERSION_NUMBER. The macro is the version of the headers
 * at compile time. */
TL_API int tl_version_number(void);

/* Returns the precision of the linked library: "f32" (tl_real is float) or "f64" (double). */
TL_API const char *tl_precision(void);

#ifdef __cplusplus
}
#endif
#endif
