/* events.h: the curves of a training as a file of events that TensorBoard reads. */
#ifndef CLI_EVENTS_H
#define CLI_EVENTS_H

#include <tapline/train.h>

typedef struct events events;

/* Fails if events_open would fail, as far as can be known. Changes nothing. */
tl_status events_check(const char *folder, tl_error *error);

/* Creates a new file in a folder, which is created if it does not exist. Files that are there stay as they are. NULL, and fails, if
 * that is not possible. Close it with events_close. */
events *events_open(const char *folder, tl_error *error);

/* Writes the losses, the accuracies (of a regression the root mean squared errors) and the learning rate of an epoch, as scalars
 * whose step is the epoch; values that are not finite are left out. `self` NULL: does nothing. Fails if that cannot be written. */
tl_status events_epoch(events *self, const tl_progress *at, tl_error *error);

/* Closes the file. NULL is allowed. */
void events_close(events *self);

#endif
