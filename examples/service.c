/* A service that answers requests, some of which are wrong: each gets an answer or the reason why there is none, and the model
 * works on. It uses the lower tier, which keeps an error in the model until it is cleared. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { LENGTH = 16, REQUESTS = 4 };

typedef struct request {
    const tl_real *values;
    size_t length, channels;
} request;

/* Returns whether there is an answer. */
static bool answer(tl_model *model, const request *from) {
    const tl_tensor x = tl_tensor_view(from->values, 3, (const size_t[]){1, from->length, from->channels});
    tl_forward(model, &x, TL_MODE_INFERENCE);
    const tl_error *error = tl_model_error(model);
    if (tl_failed(error)) {
        printf("refused: %s\n", error->text);
        tl_model_clear_error(model);
        return false;
    }
    printf("answer: %.4f\n", (double)tl_output(model).data[0]);
    return true;
}

int main(void) {
    static const tl_real values[2 * LENGTH] = {0, 1, 2, 3};
    static const request requests[REQUESTS] = {
        {values, LENGTH, 1}, {values, LENGTH + 3, 1}, {values, LENGTH, 2}, {values, LENGTH, 1}};
    tl_error error = {0};
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 3}));
    x = tl_dense(model, tl_global_max_pool(model, x), &(tl_dense_cfg){.units = 1});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 1, .inference_only = true, .loss = TL_LOSS_SQUARED_ERROR}, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    int answers = 0;
    for (int i = 0; i < REQUESTS; i++) answers += answer(model, &requests[i]);
    tl_model_free(model);
    return answers != 2;
}
