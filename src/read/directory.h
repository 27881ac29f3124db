/* directory.h: a folder as a data set. */
#ifndef TL_DIRECTORY_H
#define TL_DIRECTORY_H

#include "read/reader.h"

/* As a tl_reader reads, with the path of a folder: of folders named by their class, each file in them a series; or, where there are
 * no folders in it, of files named by their class, each line or row of them a series. */
tl_dataset *tl_read_directory(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Counts or adds a file that is one series with this label: .wav, .npy, or a table with a step a line. */
tl_status tl_read_series(tl_samples *samples, const char *path, tl_field label, tl_error *error);

#endif
