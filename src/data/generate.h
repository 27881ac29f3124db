/* generate.h: data sets that are defined by a generator. */
#ifndef TL_GENERATE_H
#define TL_GENERATE_H

#include <tapline/dataset.h>
#include <tapline/random.h>

typedef struct tl_generator {
    const char *name;
    size_t length, classes;
    size_t series[2]; /* by tl_split */
    const char *const *class_names;
    /* Draws one series of a class: x, (length). */
    void (*draw)(tl_rng *rng, size_t class, tl_real *x);
} tl_generator;

extern const tl_generator tl_generators[];
extern const size_t tl_generators_count;

/* The generated set that `name`, which follows "builtin:", says. `like`: as in tl_read_cfg; fails where the set does not fit. */
tl_dataset *tl_builtin_read(const char *name, const tl_dataset *reference, tl_error *error);

#endif
