/* The operators that can be read. */
#include "onnx/operators.h"

#include <string.h>

const tl_import_operator *tl_import_operator_of(const char *type) {
    const tl_import_operator *const tables[] = {tl_import_activations, tl_import_arithmetic, tl_import_windows, tl_import_products,
                                                tl_import_shapes};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++)
        for (const tl_import_operator *row = tables[t]; row->type; row++)
            if (strcmp(row->type, type) == 0) return row;
    return NULL;
}
