/* halves.h: data sets with a training and a test half: PATH/train and PATH/test. */
#ifndef TL_HALVES_H
#define TL_HALVES_H

#include <tapline/dataset.h>

typedef enum tl_half { TL_HALF_ANY = 0, TL_HALF_TRAIN, TL_HALF_TEST } tl_half;

/* Returns the path without `/train` or `/test` at its end, and sets *half, unless a file with the whole path exists. The caller
 * frees it. NULL on failure. */
char *tl_half_cut(const char *path, tl_half *half, tl_error *error);

/* Returns the file of this half of a folder of the UCR and UEA archives: NAME/NAME_TRAIN.ts or NAME/NAME_TEST.ts, or with other
 * endings. The caller frees it. NULL if the two files do not exist. */
char *tl_half_file(const char *folder, tl_half half, tl_error *error);

/* Returns whether a .npz has arrays for both halves. */
bool tl_npz_has_test(const char *path);

#endif
