/* fingerprint.h: what makes a training the same training, and what may change its last bits, as JSON: to be compared between a
 * checkpoint and those who want to go on from it. */
#ifndef TL_FINGERPRINT_H
#define TL_FINGERPRINT_H

#include "train/fit.h"

#include <jansson.h>

/* Fills in fit->digest: a checksum of all of the data. */
void tl_fingerprint_data(tl_fit_state *fit);

/* Data, network, loss, optimizer, schedule, batches. To be released; NULL where memory is short. */
json_t *tl_fingerprint_of(const tl_fit_state *fit);

/* Version and build, instruction set, processor, libraries, engine and largest batch: where all are the same, so is every bit. */
json_t *tl_fingerprint_machine(const tl_model *model);

/* Writes what differs, as `batch 4, now 8; optimizer.momentum none, now 0.9`: as much as there is room for. Whether anything does.
 */
bool tl_fingerprint_differs(json_t *before, json_t *now, char *text, size_t size);

#endif
