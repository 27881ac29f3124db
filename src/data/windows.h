/* windows.h: cuts windows from series that need not be in memory. */
#ifndef TL_DATA_WINDOWS_H
#define TL_DATA_WINDOWS_H

#include <tapline/dataset.h>

/* tl_dataset_windows, also for series that are not in memory: the result then has no series, and the caller sets its `batches`.
 * cfg->hop 0: the length. Fails where windows in memory would take more than max_memory bytes. */
tl_dataset *tl_windows_cut(const tl_dataset *data, const tl_window_cfg *cfg, size_t max_memory, tl_error *error);

#endif
