/* classes.h: the names of a data set's classes, each a string of its own. */
#ifndef TL_CLASSES_H
#define TL_CLASSES_H

#include <tapline/dataset.h>

/* What is wrong with a tl_read_cfg.reference of classes without names. */
#define TL_NAMELESS_CLASSES                                                                                                        \
    "the classes of the training set have no names, so labels cannot be assigned to them (tl_save_cfg.data gives a model names)"

/* Gives the data set copies of these names, and that many classes. Fails, with neither, where memory is short. */
tl_status tl_classes_copy(tl_dataset *data, char *const *names, size_t count, tl_error *error);

/* Frees the names. */
void tl_classes_release(tl_dataset *data);

#endif
