/* arrays.h: a data set of two or three NumPy arrays: series, targets, and their groups. */
#ifndef TL_ARRAYS_H
#define TL_ARRAYS_H

#include <tapline/dataset.h>

/* Where they are. */
typedef struct tl_two_arrays {
    const char *x, *y;                           /* files; with tl_read_cfg.unlabelled, y may be NULL */
    const char *const *x_names, *const *y_names; /* (2) possible names of the member of an archive; NULL: the file is the array */
    const char *groups;                          /* the file with the group of each series; NULL: there are none */
    const char *const *groups_names;
} tl_two_arrays;

/* NULL on failure. */
tl_dataset *tl_read_arrays(const tl_two_arrays *at, const tl_read_cfg *cfg, tl_error *error);

#endif
