/* The names of tl_header. */
#include <tapline/dataset.h>

#include "base/argument.h"

static const char *header_at(size_t index) {
    static const char *const names[] = {"auto", "yes", "no", NULL};
    return index < sizeof names / sizeof *names ? names[index] : NULL;
}

const char *tl_header_name(tl_header header) { return header_at((size_t)header); }

tl_status tl_header_by_name(const char *name, tl_header *header, tl_error *error) {
    return tl_find_name("header", name, header_at, (int *)header, error);
}
