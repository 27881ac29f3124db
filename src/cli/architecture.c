/* The networks that commands know by name; compiled once for each precision (commands.h). */
#include "cli/architecture.h"

tl_node IN_PRECISION(architecture_build)(const char *name, tl_model *model, tl_node x, size_t outputs) {
    const tl_architecture *found = tl_architecture_find(name);
    if (found->build) return found->build(model, x, outputs);
    return tl_architecture_from_file(model, x, name, &(tl_architecture_cfg){.outputs = outputs});
}

tl_node IN_PRECISION(network_build)(tl_model *model, const tl_dataset *data, const char *name) {
    const tl_node x = tl_input(model, (tl_shape){.length = data->x.shape[1], .channels = data->x.shape[2]});
    const size_t values = data->target_channels > 0 ? data->target_channels : 1;
    return IN_PRECISION(architecture_build)(name, model, x, data->classes > 0 ? data->classes : values);
}

/* Returns whether targets are several labels at the same time: 0 or 1 for each class. */
static bool has_several_labels(const tl_dataset *data) {
    const size_t steps = data->target_length > 0 ? data->target_length : 1,
                 count = data->x.shape[0] * steps * data->target_channels;
    bool binary = data->values && data->target_channels > 1;
    for (size_t i = 0; binary && i < count; i++) binary = data->values[i] == 0 || data->values[i] == 1;
    return binary;
}

tl_loss_kind IN_PRECISION(network_loss)(const tl_dataset *data, const char *name, tl_error *error) {
    tl_loss_kind kind = data->classes > 0          ? TL_LOSS_CROSS_ENTROPY
                        : has_several_labels(data) ? TL_LOSS_BINARY_CROSS_ENTROPY
                                                   : TL_LOSS_SQUARED_ERROR;
    if (name) tl_loss_by_name(name, &kind, error);
    return kind;
}

void IN_PRECISION(pad_within)(tl_dataset *data, size_t length, const common_settings *settings, tl_error *error) {
    const double maximum = (double)max_memory(settings) / 2, each = (double)length * (double)data->x.shape[2] * sizeof(tl_real);
    if (length > data->x.shape[1] && (double)data->x.shape[0] * each > maximum)
        tl_fail(error, TL_ERROR_MEMORY,
                "data: %zu series as long as the longest, %zu steps, take %.4g MB; the limit is %.4g MB (--max-memory)",
                data->x.shape[0], length, (double)data->x.shape[0] * each / 1e6, maximum / 1e6);
    tl_dataset_pad(data, length, error);
}
