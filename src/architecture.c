/* Ready-made networks, in nothing but the public builders. */
#include <tapline/layers.h>

static tl_node convolve_normalise(tl_model *model, tl_node x, int filters, int kernel) {
    const tl_conv1d_cfg cfg = {.filters = filters, .kernel = kernel, .padding = TL_SAME};
    return tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &cfg), NULL));
}

tl_node tl_fcn(tl_model *model, tl_node x, int outputs) {
    x = convolve_normalise(model, x, 128, 8);
    x = convolve_normalise(model, x, 256, 5);
    x = convolve_normalise(model, x, 128, 3);
    x = tl_global_average_pool(model, x);
    return tl_dense(model, x, &(tl_dense_cfg){.units = outputs});
}
