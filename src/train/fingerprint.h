/* fingerprint.h: identifies a training, and lists what may change its last bits, as JSON: to be compared between a checkpoint and
 * the training that resumes it. */
#ifndef TL_FINGERPRINT_H
#define TL_FINGERPRINT_H

#include "io/checksum.h"
#include "train/fit.h"

#include <jansson.h>

/* Sets fit->digest: a checksum of all data. */
tl_status tl_fingerprint_data(tl_fit_state *fit, tl_error *error);

/* Returns data, network, loss, optimizer, schedule and batches, which the caller releases; NULL if memory is short. */
json_t *tl_fingerprint_of(const tl_fit_state *fit);

/* Returns version and build, instruction set, processor, libraries, engine and largest batch: if all of these are equal, so is
 * every bit. */
json_t *tl_fingerprint_machine(const tl_model *model);

/* Checksums: of what is described, which is released, and of a model's parameters, states and moments. */
void tl_fingerprint_digest(json_t *described, char digits[TL_CHECKSUM_DIGITS + 1]);
void tl_fingerprint_state(const tl_model *model, char digits[TL_CHECKSUM_DIGITS + 1]);

/* Writes the differences, such as `batch 4, now 8; optimizer.momentum none, now 0.9`, as far as there is room. Returns whether
 * there is any.
 */
bool tl_fingerprint_differs(json_t *before, json_t *now, char *text, size_t size);

#endif
