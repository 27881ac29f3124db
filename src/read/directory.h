/* directory.h: reads a folder as a data set. */
#ifndef TL_DIRECTORY_H
#define TL_DIRECTORY_H

#include "read/reader.h"

/* Reads a folder: either of folders named after their class, where each file is a series; or, without folders in it, of files named
 * after their class, where each line or row is a series. */
tl_dataset *tl_read_directory(const char *path, const tl_read_cfg *cfg, tl_error *error);

/* Counts or adds a file that is one series with this label: .wav, .npy, or a table with one step in each line. */
tl_status tl_read_series(tl_samples *samples, const char *path, tl_field label, tl_error *error);

#endif
