/* channels.h: folders with one file for each channel, such as Human Activity Recognition Using Smartphones of the UCI
 * repository. */
#ifndef TL_CHANNELS_H
#define TL_CHANNELS_H

#include "read/samples.h"

/* Returns whether a path is such a folder: NAME_train.txt, OTHER_train.txt … (or all _test), where line i of each file is series i;
 * or a folder that contains only one such folder, with the labels beside that. If a folder cannot be listed, it fails and returns
 * false. */
bool tl_is_channels(const char *path, tl_error *error);

/* Counts or reads the series. Labels are the lines of y_train.txt (y_test.txt) in that folder or beside it, groups those of
 * subject_train.txt if it exists. Fails if there are no labels, or if files differ in their numbers of lines and columns.
 */
tl_status tl_channels_read(tl_samples *samples, const char *path, tl_error *error);

#endif
