#include "base/argument.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool tl_given(const void *pointer, const char *what, tl_error *error) {
    if (!pointer) tl_fail(error, TL_ERROR_ARGUMENT, "%s is NULL", what);
    return pointer != NULL;
}

const char *tl_shape_text(size_t rank, const size_t *shape, char text[TL_SHAPE_TEXT]) {
    size_t used = (size_t)snprintf(text, TL_SHAPE_TEXT, "(");
    for (size_t axis = 0; axis < rank; axis++)
        used += (size_t)snprintf(text + used, TL_SHAPE_TEXT - used, axis ? ", %zu" : "%zu", shape[axis]);
    snprintf(text + used, TL_SHAPE_TEXT - used, ")");
    return text;
}

const char *tl_tensor_text(const tl_tensor *tensor, char text[TL_SHAPE_TEXT]) {
    if (tensor && tensor->data) return tl_shape_text(tensor->rank, tensor->shape, text);
    snprintf(text, TL_SHAPE_TEXT, "NULL");
    return text;
}

/* Larger numbers would be infinite in a tl_real. */
static const double largest = 1e30;

size_t tl_finite_count(const tl_real *values, size_t count) {
    size_t i = 0;
    while (i < count && isfinite(values[i])) i++;
    return i;
}

void tl_check_number(const char *what, double value, double minimum, double limit, tl_error *error) {
    if (value >= minimum && value < limit && value <= largest) return;
    if (value > largest && isinf(limit))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g exceeds %g", what, value, largest);
    else if (isinf(limit))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is not a number of at least %g", what, value, minimum);
    else
        tl_fail(error, TL_ERROR_ARGUMENT, "%s %g is outside [%g, %g)", what, value, minimum, limit);
}

tl_status tl_check_count(const char *what, size_t value, size_t minimum, size_t maximum, tl_error *error) {
    const bool negative = value > PTRDIFF_MAX;
    if (!negative && value >= minimum && value <= maximum) return TL_OK;
    if (negative || value < minimum)
        return tl_fail(error, TL_ERROR_ARGUMENT, "%s %td is below %zu", what, (ptrdiff_t)value, minimum);
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s %zu is above %zu", what, value, maximum);
}

static bool is_zero(const unsigned char *bytes, size_t count) {
    size_t i = 0;
    while (i < count && bytes[i] == 0) i++;
    return i == count;
}

static void take_run(unsigned char *to, size_t own, const unsigned char *from, size_t given, const char *what, tl_error *error) {
    const size_t common = own < given ? own : given;
    memcpy(to, from, common);
    if (!is_zero(from + common, given - common))
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: the program sets a field that does not exist in tapline %s", what, tl_version());
}

void tl_take_parts(void *own, size_t own_size, const void *given, size_t given_size, const tl_part *part, size_t parts,
                   const char *what, tl_error *error) {
    size_t at = 0, from = 0; /* how many bytes of each have been handled */
    memset(own, 0, own_size);
    if (!given) return;
    for (size_t i = 0; i < parts; i++) {
        const size_t before = part[i].offset - at, rest = given_size - from;
        if (before > rest || part[i].given > rest - before) {
            tl_fail(error, TL_ERROR_ARGUMENT, "%s: a configuration of %zu bytes is too short for the structs in it", what,
                    given_size);
            return;
        }
        take_run((unsigned char *)own + at, before, (const unsigned char *)given + from, before, what, error);
        at += before;
        from += before;
        take_run((unsigned char *)own + at, part[i].own, (const unsigned char *)given + from, part[i].given, what, error);
        at += part[i].own;
        from += part[i].given;
    }
    take_run((unsigned char *)own + at, own_size - at, (const unsigned char *)given + from, given_size - from, what, error);
}

void tl_take(void *own, size_t own_size, const void *given, size_t given_size, const char *what, tl_error *error) {
    tl_take_parts(own, own_size, given, given_size, NULL, 0, what, error);
}

void tl_hand_over(void *to, size_t size, const void *own, size_t own_size) {
    if (!to) return;
    const size_t common = size < own_size ? size : own_size;
    memcpy(to, own, common);
    memset((unsigned char *)to + common, 0, size - common);
}

void tl_list_names(tl_name_at name_at, const char *quote, char list[TL_NAME_LIST]) {
    size_t used = 0;
    *list = '\0';
    for (size_t i = 0; name_at(i) && used < TL_NAME_LIST; i++) {
        const char *joint = i == 0 ? "" : name_at(i + 1) ? ", " : " and ";
        used += (size_t)snprintf(list + used, TL_NAME_LIST - used, "%s%s%s%s", joint, quote, name_at(i), quote);
    }
}

tl_status tl_find_name(const char *what, const char *name, tl_name_at name_at, int *found, tl_error *error) {
    char list[TL_NAME_LIST];
    if (tl_failed(error)) return error->status;
    if (!name) name = "";
    for (int i = 0; name_at((size_t)i); i++) {
        if (strcmp(name_at((size_t)i), name) != 0) continue;
        *found = i;
        return TL_OK;
    }
    tl_list_names(name_at, "", list);
    return tl_fail(error, TL_ERROR_ARGUMENT, "%s \"%.40s\" is unknown; choose one of %s", what, name, list);
}
