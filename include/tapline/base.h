/* tapline/base.h: the scalar type, the export macro, the version, errors.
 *
 * The library is built twice from the same sources. tl_real is float, or double where TAPLINE_F64 is defined (linking
 * tapline::tapline_f64 defines it); every linked symbol of the double build carries the suffix _f64, so that a program may
 * hold both builds and a translation unit that mixes them up fails to link.
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
/* Of these headers, as one number that grows: 10203 is 1.2.3. tl_version_number is that of the linked library. */
#define TL_VERSION_NUMBER (TL_VERSION_MAJOR * 10000 + TL_VERSION_MINOR * 100 + TL_VERSION_PATCH)

#if defined(__GNUC__)
#define TL_API __attribute__((visibility("default")))
#define TL_PRINTF(text, values) __attribute__((format(printf, text, values)))
#else
#define TL_API
#define TL_PRINTF(text, values)
#endif
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11
#define TL_KEEPS(pointer) __attribute__((access(none, pointer))) /* does not read what it points to, which may not be set yet */
#else
#define TL_KEEPS(pointer)
#endif

#ifdef TAPLINE_F64
typedef double tl_real;
#else
typedef float tl_real;
#endif

/* How structs may grow: later libraries may have fields at the end of configurations and results. A program tells the library how
 * long they were when it was compiled, by functions that the headers define themselves; what lies behind that is zero in a
 * configuration, and is not written in a result. So a program runs with later libraries without being compiled again. For a
 * language that calls the library without a C compiler (ctypes and other foreign-function interfaces), NAME_sized stands beside
 * each such function NAME, and takes the sizes in bytes. Structs that are passed by value (tl_node, tl_shape, tl_tensor,
 * tl_parameter) stay as they are. */

/* What kind of thing went wrong; the text of tl_error says what exactly. */
typedef enum tl_status {
    TL_OK = 0,
    TL_ERROR_ARGUMENT, /* a value outside its range */
    TL_ERROR_SHAPE,    /* arrays or layers that do not fit each other, or a size that overflows */
    TL_ERROR_STATE,    /* a call out of order, such as backward before forward */
    TL_ERROR_NUMERIC,  /* a non-finite loss, gradient, statistic or parameter */
    TL_ERROR_MEMORY,   /* an allocation failed */
    TL_ERROR_FILE,     /* the operating system refused a file */
    TL_ERROR_FORMAT    /* a file's contents are not what they should be */
} tl_status;

/* An error, owned by the caller, who starts it as `tl_error error = {0};`.
 *
 * It is sticky: the first failure stays, and a function that is handed an error which is already set does nothing and
 * returns its failure value, so that a sequence of calls may be checked once, at its end. Functions that take a
 * `tl_error *` accept NULL (the reason is then lost, the failure is still returned).
 *
 * So a model, data set, ensemble or log that could not be made, and is NULL, may be handed on: functions that can fail then do so,
 * others give 0 or do nothing. Functions that can fail name a path or an array that is NULL, too, where it may not be.
 */
typedef struct tl_error {
    tl_status status;
    char text[500]; /* one line without a newline, naming the thing, the value got and the limit */
} tl_error;

/* Records a failure and returns `status`; keeps the first one if the error is set already. `format` as for printf; control
 * characters become "?". */
TL_API tl_status tl_fail(tl_error *error, tl_status status, const char *format, ...) TL_PRINTF(3, 4);

/* Whether the error is set; false for NULL. */
TL_API bool tl_failed(const tl_error *error);

/* The candidate that is most similar to a misspelt `text`: at most a third of the letters may differ (one letter of a short name).
 * NULL where none is similar. Candidates are `candidate`(context, 0), (context, 1) … until it returns NULL. */
typedef const char *(*tl_candidate)(const void *context, size_t index);
TL_API const char *tl_suggest(const char *text, tl_candidate candidate, const void *context);

/* The version of the linked library, such as "0.1.0". */
TL_API const char *tl_version(void);

/* The same as TL_VERSION_NUMBER, of the linked library: for `#if` there is the macro, for a program that was compiled earlier this.
 */
TL_API int tl_version_number(void);

/* "f32" or "f64". */
TL_API const char *tl_precision(void);

#ifdef __cplusplus
}
#endif
#endif
