/* verdict.h: what a page says of predicted classes. */
#ifndef CLI_VERDICT_H
#define CLI_VERDICT_H

#include "picture/markup.h"

#include <tapline/base.h>

/* A prediction for a series, or for a step of one. */
typedef struct verdict {
    int32_t label, predicted; /* classes */
    float probability;        /* of the predicted class */
} verdict;

typedef struct verdicts {
    verdict *of; /* (count) only those with a label */
    size_t count, classes;
    char *const *names; /* (classes) NULL: classes have no names */
    const char *noun;   /* "series" or "steps" */
} verdicts;

/* Adds the name of a class as text of HTML, at most `characters` of it. */
void verdict_class(const verdicts *self, size_t class, size_t characters, markup *to);

/* Add parts of a page: which class is confused with which, in words and as a matrix; a table of the classes; whether probabilities
 * are right. */
void verdict_confusion(const verdicts *self, markup *to);
void verdict_table(const verdicts *self, markup *to);
void verdict_reliability(const verdicts *self, markup *to);

#endif
