/* The networks that commands know by name, compiled once for each precision (commands.h). */
#include "architecture.h"

#include <tapline/architecture.h>

#include <string.h>

static const architecture architectures[] = {
    {"fcn", tl_fcn, 16, 2000, 1},
    {"resnet", tl_resnet, 64, 1500, 1},
    {"inception", tl_inception, 64, 1500, 1},
    {"inceptiontime", tl_inception, 64, 1500, 5},
    {"timecnn", tl_time_cnn, 16, 2000, 1},
    {"lite", tl_lite, 64, 1500, 1},
    {"tcn", tl_tcn, 64, 300, 1}, /* no recipe was published for such series, nor for wavenet */
    {"wavenet", tl_wavenet, 64, 300, 1},
    {NULL, NULL, 16, 1500, 1}, /* a file's */
};

const char *IN_PRECISION(architecture_name)(size_t index) { return architectures[index].name; }

const architecture *IN_PRECISION(architecture_find)(const char *name) {
    const architecture *found = architectures;
    while (found->name && strcmp(found->name, name) != 0) found++;
    return found;
}

tl_node IN_PRECISION(architecture_build)(const char *name, tl_model *model, tl_node x, int outputs) {
    const architecture *found = IN_PRECISION(architecture_find)(name);
    if (found->build) return found->build(model, x, outputs);
    return tl_architecture_from_file(model, x, name, &(tl_architecture_cfg){.outputs = outputs});
}
