/* missing_policy.h: values that a file does not have. */
#ifndef TL_MISSING_POLICY_H
#define TL_MISSING_POLICY_H

#include <tapline/dataset.h>

/* Replaces each NaN in `series`, (length, channels). Returns the first channel that has nothing else, in which case all stays as it
 * is there; `channels`: there is none. */
size_t tl_missing_fill(tl_missing_policy policy, double *series, size_t length, size_t channels);

#endif
