/* channels.h: folders with a file for each channel, as the UCI repository has Human Activity Recognition Using Smartphones. */
#ifndef TL_CHANNELS_H
#define TL_CHANNELS_H

#include "read/samples.h"

/* Whether a path is such a folder: NAME_train.txt, OTHER_train.txt … (or all _test), in which line i of each file is series i; or a
 * folder that has just one folder, which is such, and the labels beside it. Fails, which is then false, where a folder cannot be
 * listed. */
bool tl_is_channels(const char *path, tl_error *error);

/* Counts or reads its series. Labels are in y_train.txt (y_test.txt) in that folder or beside it, a line each, groups in
 * subject_train.txt where there is one. Fails where there are no labels, or files have not the same numbers of lines and columns.
 */
tl_status tl_channels_read(tl_samples *samples, const char *path, tl_error *error);

#endif
