/* classes.h: the names of the classes of a data set; each is a separate string. */
#ifndef TL_CLASSES_H
#define TL_CLASSES_H

#include <tapline/dataset.h>

/* The message for a tl_read_cfg.reference whose classes have no names. */
#define TL_NAMELESS_CLASSES                                                                                                        \
    "the classes of the training set have no names, so labels cannot be assigned to them (tl_save_cfg.data gives a model names)"

/* Copies `count` names into the data set and sets its number of classes. Fails, with neither, if memory is short. */
tl_status tl_classes_copy(tl_dataset *data, char *const *names, size_t count, tl_error *error);

/* Frees the names. */
void tl_classes_release(tl_dataset *data);

#endif
