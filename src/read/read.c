/* Reading a data set: the table of readers, and which of them a path gets. */
#include "base/argument.h"
#include "data/generate.h"
#include "read/directory.h"
#include "read/folder.h"
#include "read/foreign.h"
#include "read/reader.h"

#include <stdio.h>
#include <string.h>

static const tl_reader *const readers[] = {&tl_ts_reader,  &tl_table_reader, &tl_arff_reader,
                                           &tl_npy_reader, &tl_npz_reader,   &tl_wfdb_reader};

static const tl_reader *find_reader(const char *path, tl_error *error) {
    char all[120];
    int end = 0;
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        for (const char *const *ending = readers[i]->endings; *ending; ending++) {
            if (tl_has_ending(path, *ending)) return readers[i];
            end += snprintf(all + end, sizeof all - (size_t)end, "%s%s", end ? ", " : "", *ending);
        }
    }
    if (tl_foreign_check(path, error) == TL_OK) tl_fail(error, TL_ERROR_ARGUMENT, "%s: the name ends in none of %s", path, all);
    return NULL;
}

static tl_dataset *read_file(const char *path, const tl_read_cfg *cfg, tl_error *error) {
    if (tl_is_folder(path)) return tl_read_directory(path, cfg, error);
    const tl_reader *reader = find_reader(path, error);
    return reader ? reader->read(path, cfg, error) : NULL;
}

tl_dataset *tl_dataset_read_sized(const char *path, const tl_read_cfg *given, size_t size, tl_error *error) {
    tl_read_cfg settings, *cfg = &settings;
    static const char builtin[] = "builtin:";
    tl_error own = {0};
    if (!error) error = &own;
    if (tl_failed(error) || !tl_given(path, "data: the path", error)) return NULL;
    tl_take(cfg, sizeof *cfg, given, size, "read", error);
    if (tl_failed(error)) return NULL;
    const bool generated = strncmp(path, builtin, sizeof builtin - 1) == 0;
    tl_dataset *data = generated ? tl_builtin_read(path + sizeof builtin - 1, cfg->like, error) : read_file(path, cfg, error);
    if (data && !cfg->raw) tl_dataset_normalize(data);
    return data;
}
