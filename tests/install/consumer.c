/* A program of a user: exits with 0 if the precision that it was linked with is argv[1] and a network runs. */
#include <tapline/tapline.h>

#include <string.h>

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_model *model = tl_model_new(NULL);
    const tl_node x = tl_input(model, (tl_shape){.length = 8, .channels = 1});
    tl_model_compile(model, tl_dense(model, x, &(tl_dense_cfg){.units = 2}), NULL, &error);
    const tl_tensor batch = TL_VIEW((const tl_real[8]){1}, 1, 8, 1);
    tl_forward(model, &batch, TL_MODE_INFERENCE);
    const bool right = !tl_failed(&error) && tl_output(model).shape[2] == 2 && argc == 2 && strcmp(tl_precision(), argv[1]) == 0;
    tl_model_free(model);
    return !right;
}
