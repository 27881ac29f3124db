/* Code before and after the network: scaling of the series, and postprocessing of the outputs. */
#include "device/network.h"

#include "base/memory.h"

void tl_c_write_scaling(tl_c_network *network, size_t rows) {
    const tl_scaling *scaling = network->net.scaling;
    const size_t channels = network->net.node[0].out.channels;
    const tl_c_place to = tl_c_place_of(network, network->input);
    if (scaling->kind == TL_NORMALIZE_SERIES) {
        tl_c_use(&network->helpers, TL_C_SCALE_SERIES);
        tl_c_print(&network->body, "    scale_series(x, %zu, %zu, %s);\n", rows, channels, to.text);
    }
    if (scaling->kind != TL_NORMALIZE_SET) return;
    double *rest = tl_allocate(channels, sizeof *rest, "export: scaling", network->error);
    for (size_t c = 0; rest && c < channels; c++) rest[c] = scaling->mean[c] - (double)(float)scaling->mean[c];
    if (rest) {
        tl_c_write_array(network, "series", "mean", scaling->mean, channels);
        tl_c_write_array(network, "series", "rest", rest, channels);
        tl_c_write_array(network, "series", "deviation", scaling->deviation, channels);
    }
    tl_release(rest);
    tl_c_use(&network->helpers, TL_C_SCALE_SET);
    tl_c_print(&network->body, "    scale_set(x, %zu, %zu, series_mean, series_rest, series_deviation, %s);\n", rows, channels,
               to.text);
}

void tl_c_write_results(tl_c_network *network, size_t rows) {
    const size_t channels = network->net.node[network->net.nodes - 1].out.channels, count = rows * channels;
    const tl_c_place from = tl_c_element_of(network, network->output);
    const bool elsewhere = network->output.span != TL_C_CALLER_Y;
    if (network->net.loss == TL_LOSS_CROSS_ENTROPY) {
        tl_c_use(&network->helpers, TL_C_SOFTMAX);
        tl_c_print(&network->body, "    softmax(%s, %zu, %zu, y);\n", tl_c_place_of(network, network->output).text, rows, channels);
    } else if (network->net.loss == TL_LOSS_BINARY_CROSS_ENTROPY) {
        tl_c_use(&network->helpers, TL_C_SIGMOID);
        tl_c_print(&network->body, "    for (int i = 0; i < %zu; i++) y[i] = sigmoid(%s);\n", count, from.text);
    } else if (network->net.targets->mean) {
        tl_c_write_array(network, "target", "mean", network->net.targets->mean, channels);
        tl_c_write_array(network, "target", "deviation", network->net.targets->deviation, channels);
        tl_c_print(&network->body,
                   "    for (int i = 0; i < %zu; i++) y[i] = %s * target_deviation[i %% %zu] + target_mean[i %% %zu];\n", count,
                   from.text, channels, channels);
    } else if (elsewhere)
        tl_c_print(&network->body, "    for (int i = 0; i < %zu; i++) y[i] = %s;\n", count, from.text);
}
