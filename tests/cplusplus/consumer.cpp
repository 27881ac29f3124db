// The library from C++: exits 0 when a network trains a step.
#include <tapline/tapline.h>

int main() {
    tl_error error = {};
    tl_model *model = tl_model_new(nullptr);
    tl_shape shape = {};
    shape.length = 8;
    shape.channels = 1;
    tl_dense_cfg dense = {};
    dense.units = 2;
    tl_node x = tl_flatten(model, tl_input(model, shape));
    tl_model_compile(model, tl_dense(model, x, &dense), nullptr, &error);
    const tl_real series[8] = {1, 2};
    const size_t batch_shape[] = {1, 8, 1};
    const tl_tensor batch = tl_tensor_view(series, 3, batch_shape);
    const int32_t labels[] = {1};
    tl_target target = {};
    target.labels = labels;
    tl_forward(model, &batch, TL_MODE_TRAINING);
    const double before = tl_loss(model, &target);
    tl_backward(model);
    tl_step(model, &error);
    tl_forward(model, &batch, TL_MODE_INFERENCE);
    const double after = tl_loss(model, &target);
    tl_model_free(model);
    return tl_failed(&error) || !(after < before);
}
