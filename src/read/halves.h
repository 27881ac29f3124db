/* halves.h: data sets of two halves, one to train on and one to test on: PATH/train and PATH/test. */
#ifndef TL_HALVES_H
#define TL_HALVES_H

#include <tapline/dataset.h>

typedef enum tl_half { TL_HALF_ANY = 0, TL_HALF_TRAIN, TL_HALF_TEST } tl_half;

/* The path without `/train` or `/test` at its end, which *half then says, unless there is something of the whole name; free it.
 * NULL on failure. */
char *tl_half_cut(const char *path, tl_half *half, tl_error *error);

/* The file that is this half of a folder of the UCR and UEA archives: NAME/NAME_TRAIN.ts and NAME/NAME_TEST.ts, or other endings;
 * free it. NULL where there are no two such files. */
char *tl_half_file(const char *folder, tl_half half, tl_error *error);

/* Whether a .npz has arrays for either half. */
bool tl_npz_has_test(const char *path);

#endif
