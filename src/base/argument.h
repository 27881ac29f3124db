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
void tl_check_number(const char *what, double value, double least, double limit, tl_error *error);

/* How many of the values are finite before the first that is not: `count` where all are. */
size_t tl_finite_count(const tl_real *values, size_t count);

/* The name of that index, from 0; NULL behind the last. */
typedef const char *(*tl_name_at)(size_t index);

enum { TL_NAME_LIST = 300 };

/* "adam, adamw and sgd"; with `quote` around each. */
void tl_list_names(tl_name_at name_at, const char *quote, char list[TL_NAME_LIST]);

/* The index of `name`; else fails with "optimizer "lion" is unknown; there are adam and sgd", `what` being the first word, and
 * returns 0. */
size_t tl_find_name(const char *what, const char *name, tl_name_at name_at, tl_error *error);

#endif
