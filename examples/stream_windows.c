/* A classifier on a stream: a network learns generated gestures of 128 steps. Then it gets gestures one after the other as a
 * stream, and prints every 16 steps which gesture the last 128 steps were. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { LENGTH = 128, HOP = 16, HEARD = 6 };

static tl_node build(tl_model *model) {
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    for (int layer = 0; layer < 3; layer++) {
        x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 16, .kernel = 5, .dilation = 1 << layer, .padding = TL_PADDING_CAUSAL});
        x = tl_relu(model, tl_batch_norm(model, x, NULL));
    }
    return tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 3});
}

static size_t largest(const tl_real *y, size_t count) {
    size_t best = 0;
    for (size_t c = 1; c < count; c++)
        if (y[c] > y[best]) best = c;
    return best;
}

int main(void) {
    tl_error error = {0};
    const tl_read_cfg unscaled = {.normalize = TL_NORMALIZE_NONE}; /* the mean of a stream is not known before its end */
    tl_dataset *train = tl_dataset_read("builtin:cbf", &unscaled, &error),
               *test = tl_dataset_read("builtin:cbf/test", &unscaled, &error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1, .threads = 1});
    tl_model_compile(model, build(model), &(tl_compile_cfg){.batch = 10}, &error);
    tl_fit(model, train, &(tl_fit_cfg){.epochs = 60}, NULL, &error);
    tl_stream *stream = tl_stream_new(model, &(tl_stream_cfg){.window = LENGTH, .hop = HOP}, &error);
    size_t right = 0;
    for (size_t i = 0; i < HEARD && stream; i++) {
        for (size_t t = 0; t < LENGTH; t++) {
            tl_real y[3];
            if (tl_stream_push(stream, test->x.data + i * LENGTH + t, 1, y, 1) == 0) continue; /* no output yet */
            const size_t heard = largest(y, 3);
            printf("%s%s", test->class_names[heard], t + 1 < LENGTH ? " " : "\n");
            if (t + 1 == LENGTH) right += heard == (size_t)test->labels[i]; /* the window is exactly this gesture */
        }
    }
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_stream_free(stream);
    tl_model_free(model);
    tl_dataset_free(train);
    tl_dataset_free(test);
    return tl_failed(&error) || right + 1 < HEARD;
}
