/* argument.h: what users hand over: pointers, arrays, numbers in ranges, names in tables. */
#ifndef TL_ARGUMENT_H
#define TL_ARGUMENT_H

#include <tapline/tensor.h>

/* Whether there is something; else fails with "save: the path is NULL", `what` being all but the end. */
bool tl_given(const void *pointer, const char *what, tl_error *error);

enum { TL_SHAPE_TEXT = 100 };

/* "(4, 3)", for messages; returns `text`. */
const char *tl_shape_text(size_t rank, const size_t *shape, char text[TL_SHAPE_TEXT]);

/* The same of a tensor; "NULL" of none, and of one without elements. */
const char *tl_tensor_text(const tl_tensor *tensor, char text[TL_SHAPE_TEXT]);

/* Fails unless least ≤ value < limit, which may be INFINITY, and value ≤ 1e30; NaN fails. `what` names the value. */
void tl_check_number(const char *what, double value, double minimum, double limit, tl_error *error);

/* How many of the values are finite before the first that is not: `count` where all are. */
size_t tl_finite_count(const tl_real *values, size_t count);

/* Copies a configuration into `own`, whose program may have been compiled with headers of another version: fields that it does not
 * have become 0, and those that it has more must be 0, else fails with "dense: the program sets a field that tapline 0.2.0 does not
 * have", `what` being the first word. `given` NULL: all 0. */
void tl_take(void *own, size_t own_size, const void *given, size_t given_size, const char *what, tl_error *error);

/* A struct within a configuration: where it begins and how long it is here, and how long in the program. */
typedef struct tl_part {
    size_t offset, own, given;
} tl_part;

/* The same of a configuration with structs within, in their order. */
void tl_take_parts(void *own, size_t own_size, const void *given, size_t given_size, const tl_part *part, size_t parts,
                   const char *what, tl_error *error);

/* The other way round: as much of what the library found out as the program has room for, and 0 behind it. */
void tl_hand_over(void *to, size_t size, const void *own, size_t own_size);

/* The name of that index, from 0; NULL behind the last. */
typedef const char *(*tl_name_at)(size_t index);

enum { TL_NAME_LIST = 300 };

/* "adam, adamw and sgd"; with `quote` around each. */
void tl_list_names(tl_name_at name_at, const char *quote, char list[TL_NAME_LIST]);

/* Sets *found, an int or an enumeration of that size, to the index of `name`. Fails for an unknown name, saying `optimizer "lion"
 * is unknown; there are adam and sgd`; `what` is the first word of that. */
tl_status tl_find_name(const char *what, const char *name, tl_name_at name_at, int *found, tl_error *error);

#endif
