/* argument.h: checks of arguments: pointers, arrays, numbers in ranges, names in tables. */
#ifndef TL_ARGUMENT_H
#define TL_ARGUMENT_H

#include <tapline/tensor.h>

/* Returns whether the pointer is not NULL; otherwise fails with "save: the path is NULL", where `what` is "save: the path". */
bool tl_given(const void *pointer, const char *what, tl_error *error);

enum { TL_SHAPE_TEXT = 100 };

/* "(4, 3)", for messages; returns `text`. */
const char *tl_shape_text(size_t rank, const size_t *shape, char text[TL_SHAPE_TEXT]);

/* The same for a tensor; "NULL" for a NULL or empty tensor. */
const char *tl_tensor_text(const tl_tensor *tensor, char text[TL_SHAPE_TEXT]);

/* Fails unless minimum ≤ value < limit and value ≤ 1e30; `limit` may be INFINITY. NaN fails. `what` names the value. */
void tl_check_number(const char *what, double value, double minimum, double limit, tl_error *error);

/* Fails unless minimum ≤ value ≤ maximum: "kernel 0 is below 1". A value that is the conversion of a negative number is shown as
 * that negative number.
 */
tl_status tl_check_count(const char *what, size_t value, size_t minimum, size_t maximum, tl_error *error);

/* Returns the number of values before the first one that is not finite; `count` if all are finite. */
size_t tl_finite_count(const tl_real *values, size_t count);

/* Copies a configuration into `own`. The program may have been compiled with headers of another version: fields that it does not
 * have become 0; additional fields must be 0, otherwise it fails with "dense: the program sets a field that does not exist in
 * tapline 0.2.0", where `what` is "dense". `given` NULL: all 0. */
void tl_take(void *own, size_t own_size, const void *given, size_t given_size, const char *what, tl_error *error);

/* A struct inside a configuration: its offset and size here, and its size in the program. */
typedef struct tl_part {
    size_t offset, own, given;
} tl_part;

/* The same for a configuration that contains structs, in their order. */
void tl_take_parts(void *own, size_t own_size, const void *given, size_t given_size, const tl_part *part, size_t parts,
                   const char *what, tl_error *error);

/* The other direction: copies a result to the program, as many bytes as its struct has, and sets further bytes to 0. */
void tl_hand_over(void *to, size_t size, const void *own, size_t own_size);

/* Returns the name with that index, from 0; NULL after the last one. */
typedef const char *(*tl_name_at)(size_t index);

enum { TL_NAME_LIST = 300 };

/* Writes "adam, adamw and sgd" to `list`, with `quote` around each name. */
void tl_list_names(tl_name_at name_at, const char *quote, char list[TL_NAME_LIST]);

/* Sets *found, an int or an enumeration of that size, to the index of `name`. Fails for an unknown name: `optimizer "lion" is
 * unknown; choose one of adam and sgd`, where `what` is "optimizer". */
tl_status tl_find_name(const char *what, const char *name, tl_name_at name_at, int *found, tl_error *error);

#endif
