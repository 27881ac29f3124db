/* npy.h: arrays in NumPy's format (numpy.lib.format, versions 1.0 to 3.0). */
#ifndef TL_NPY_H
#define TL_NPY_H

#include "io/source.h"

enum { TL_NPY_RANK = 3 };

typedef struct tl_npy {
    tl_number_type type; /* type of the numbers; size 0 if the elements are texts */
    size_t characters;   /* characters of a text */
    size_t character;    /* bytes of a character: 4 (dtype U) or 1 (dtype S) */
    size_t rank, shape[TL_NPY_RANK];
} tl_npy;

/* Reads the header; the remaining bytes of the source are then exactly the elements. Fails if the array is not in C order, has
 * another type than floats, whole numbers, bools and texts, is empty, or has a size that differs from its shape. */
tl_status tl_npy_header(tl_source *source, tl_npy *array, tl_error *error);

/* Writes "(2, 3)" to `text`, for messages. */
void tl_npy_shape(const tl_npy *array, char text[80]);

/* Reads an element as a label: a whole number or a text of at most TL_NPY_LABEL bytes. *label points into `bytes`. */
enum { TL_NPY_CHARACTERS = 255, TL_NPY_LABEL = 4 * TL_NPY_CHARACTERS };
tl_status tl_npy_label(tl_source *source, const tl_npy *array, char bytes[TL_NPY_LABEL], tl_field *label, tl_error *error);

#endif
