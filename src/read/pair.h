/* pair.h: series and targets in two files whose names differ only in x and y. */
#ifndef TL_PAIR_H
#define TL_PAIR_H

#include <tapline/base.h>

/* Returns the file of targets beside a file of series, if it exists: for "X_train.npy" "y_train.npy" or "Y_train.npy". The x stands
 * alone in the name: between its ends and "_", "-" and ".". The caller frees it. NULL: there is none, or memory is short. */
char *tl_pair_find(const char *path, tl_error *error);

/* Returns the path of a file of series with `name`, such as "y", in place of x; fails if it has no such x. The caller frees it. */
char *tl_pair_name(const char *path, const char *name, tl_error *error);

#endif
