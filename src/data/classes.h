/* classes.h: the names of a data set's classes, each a string of its own. */
#ifndef TL_CLASSES_H
#define TL_CLASSES_H

#include <tapline/dataset.h>

/* Gives the data set copies of these names, and that many classes. Fails, with neither, where memory is short. */
tl_status tl_classes_copy(tl_dataset *data, char *const *names, size_t count, tl_error *error);

/* Frees the names. */
void tl_classes_release(tl_dataset *data);

#endif
