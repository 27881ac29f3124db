/* fixtures.h: the files of tests/parity: results of PyTorch, written by tests/parity/make.py.
 *
 * A line starts with its key: "case fcn", "input 4 40 1 1". An array is a line with its name and count, and a line with its
 * numbers.
 */
#ifndef FIXTURES_H
#define FIXTURES_H

#include "check.h"

#include <tapline/layer.h>

#include <stdio.h>

/* Allowed difference of numbers: absolute + relative·|expected|. */
typedef struct tolerance {
    double relative, absolute;
} tolerance;

typedef struct fixtures {
    FILE *file;
    char name[100];     /* of the case */
    char line[1 << 14]; /* the last line, without its key */
    tolerance within;   /* for the next arrays; the test sets it */
    size_t compared;    /* numbers so far */
    double worst;       /* the largest difference, relative to what is allowed */
    char where[200];    /* case and array of that difference */
} fixtures;

/* Opens a file of tests/parity. */
fixtures *fixtures_open(const char *name);

/* Goes to the next case; without `skip` it must be the next line. Returns false after the last one. */
bool fixtures_next(fixtures *f, bool skip);

/* Reads a line with that key into f->line. */
void fixtures_line(fixtures *f, const char *key);

/* Reads a line with that key and pairs of words, "momentum 0.9 nesterov 1", into the members of `cfg`. */
void fixtures_settings(fixtures *f, const char *key, const tl_setting *settings, void *cfg);

/* Reads a line "input batch length channels scale limit", and creates that input of scaled numbers; if the limit is not 0, of
 * integers below it. Free it with tl_tensor_free. */
tl_tensor fixtures_input(fixtures *f);

/* Returns whether the next line starts with the word "step", and its number; does not consume the line. */
bool fixtures_at_step(fixtures *f, unsigned long *step);

/* Reads an array with that name and count into `expected`. */
void fixtures_array(fixtures *f, const char *name, double *expected, size_t count);

/* Reads an array with that name, and compares `values` with it: all of them, or, if the file has 5 numbers for more values, their
 * root mean square, mean, first, middle and last. */
void fixtures_compare(fixtures *f, const char *name, const tl_real *values, size_t count);

/* Prints what was compared, and frees the fixtures. */
void fixtures_close(fixtures *f);

/* ---- the initial numbers of both sides ---- */

enum {
    ARRAY_INPUT = 0,
    ARRAY_TARGET = 1,
    ARRAY_PARAMETERS = 2,
    ARRAY_STATES = 1000,
    ARRAY_CLASS_WEIGHTS = 2000,
    ARRAY_SAMPLE_WEIGHTS
};

/* 32 bits for an element of an array. */
uint32_t formula_hash(uint32_t array, size_t element);

/* In (-1, 1), odd multiples of 2^-16: never 0, and exact in single precision. */
double formula_uniform(uint32_t array, size_t element);

#endif
