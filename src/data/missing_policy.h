/* missing_policy.h: replaces missing values. */
#ifndef TL_MISSING_POLICY_H
#define TL_MISSING_POLICY_H

#include <tapline/dataset.h>

/* Replaces each NaN in `series`, (length, channels). Returns the first channel without any value, which is left unchanged;
 * `channels` if there is none. */
size_t tl_missing_fill(tl_missing_policy policy, double *series, size_t length, size_t channels);

#endif
