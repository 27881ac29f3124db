/* Places in memory and constants as C. */
#include "device/network.h"

#include <stdio.h>

/* ---- places ---- */

static size_t offset_of(const tl_c_network *network, const tl_c_value *value) {
    return value->offset + (value->span >= 0 ? network->span[value->span].offset : 0);
}

static const char *array_of(const tl_c_value *value) {
    static const char *const from[TL_MAX_INPUTS] = {"from", "from1", "from2", "from3", "from4", "from5", "from6", "from7"};
    if (value->span >= 0) return "arena";
    if (value->span == TL_C_SCALED) return "scaled";
    return value->span == TL_C_CALLER_X   ? "x"
           : value->span == TL_C_CALLER_Y ? "y"
           : value->span == TL_C_TO       ? "to"
                                          : from[TL_C_FROM - value->span];
}

tl_c_place tl_c_place_of(const tl_c_network *network, tl_c_value value) {
    tl_c_place place;
    const size_t offset = offset_of(network, &value);
    snprintf(place.text, sizeof place.text, offset ? "%s + %zu" : "%s", array_of(&value), offset);
    return place;
}

tl_c_place tl_c_element_of(const tl_c_network *network, tl_c_value value) {
    tl_c_place place;
    const size_t offset = offset_of(network, &value);
    if (offset)
        snprintf(place.text, sizeof place.text, "%s[%zu + i]", array_of(&value), offset);
    else
        snprintf(place.text, sizeof place.text, "%s[i]", array_of(&value));
    return place;
}

/* ---- constants ---- */

void tl_c_write_array(tl_c_network *network, const char *name, const char *suffix, const double *values, size_t count) {
    tl_c_text *to = &network->constants;
    tl_c_print(to, "static const float %s_%s[%zu] = {\n   ", name, suffix, count);
    size_t begin = to->used - 3;
    for (size_t i = 0; i < count; i++) {
        if (to->used - begin > 110) {
            tl_c_print(to, "\n   ");
            begin = to->used - 3;
        }
        tl_c_print(to, " ");
        tl_c_number(to, values[i]);
        tl_c_print(to, i + 1 < count ? "," : "");
    }
    tl_c_print(to, "\n};\n");
    network->constant_bytes += count * sizeof(float);
}

void tl_c_write_integers(tl_c_network *network, const char *name, const char *suffix, const char *type, size_t bytes, size_t count,
                         int (*at)(const void *values, size_t index), const void *values) {
    tl_c_text *to = &network->constants;
    tl_c_print(to, "static const %s %s_%s[%zu] = {\n   ", type, name, suffix, count);
    size_t begin = to->used - 3;
    for (size_t i = 0; i < count; i++) {
        if (to->used - begin > 115) {
            tl_c_print(to, "\n   ");
            begin = to->used - 3;
        }
        tl_c_print(to, " %d%s", at(values, i), i + 1 < count ? "," : "");
    }
    tl_c_print(to, "\n};\n");
    network->constant_bytes += count * bytes;
}
