#include "data/classes.h"

#include <stdlib.h>
#include <string.h>

void tl_classes_release(tl_dataset *data) {
    for (size_t c = 0; data->class_names && c < data->classes; c++) free(data->class_names[c]);
    free(data->class_names);
    data->class_names = NULL;
    data->classes = 0;
}

tl_status tl_classes_copy(tl_dataset *data, char *const *names, size_t count, tl_error *error) {
    data->class_names = calloc(count, sizeof *data->class_names);
    data->classes = data->class_names ? count : 0;
    bool whole = data->class_names != NULL;
    for (size_t c = 0; whole && c < count; c++) whole = (data->class_names[c] = strdup(names[c])) != NULL;
    if (whole) return TL_OK;
    tl_classes_release(data);
    return tl_fail(error, TL_ERROR_MEMORY, "data: out of memory");
}
