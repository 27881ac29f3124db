/* A service with a stream for each sensor. It is stopped in the middle of a series: the state of the stream is saved, and a new
 * stream continues from it with the same outputs, bit for bit. */
#include <tapline/tapline.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 100, STOP = 37 };

/* An untrained network with an output for every second step. Its padding waits for later steps. */
static tl_model *build(tl_error *error) {
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = STEPS, .channels = 1});
    x = tl_tanh(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 5, .padding = TL_PADDING_SAME}));
    x = tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 1, .kernel = 4, .stride = 2, .padding = TL_PADDING_SAME});
    const tl_compile_cfg cfg = {.batch = 1, .loss = TL_LOSS_SQUARED_ERROR, .inference_only = true};
    tl_model_compile(model, x, &cfg, error);
    return model;
}

static void print_properties(const tl_stream *stream) {
    const tl_stream_rate rate = tl_stream_rate_of(stream);
    printf("%zu output for %zu steps, the first after %zu; an output depends on %zu steps\n", rate.outputs, rate.steps,
           tl_stream_delay(stream) + 1, tl_stream_receptive_field(stream));
    printf("%zu bytes, of which %zu are the state\n", tl_stream_memory(stream), tl_stream_state_size(stream));
}

int main(void) {
    tl_error error = {0};
    tl_real series[STEPS], whole[STEPS], parts[STEPS];
    for (uint32_t t = 0; t < STEPS; t++) series[t] = (tl_real)(t % 13) / 13;
    tl_model *model = build(&error);
    tl_stream *first = tl_stream_new(model, NULL, &error), *second = tl_stream_copy(first, &error);
    print_properties(first);

    size_t expected = tl_stream_push(first, series, STEPS, whole, STEPS);
    expected += tl_stream_end(first, whole + expected, STEPS - expected);

    size_t outputs = tl_stream_push(second, series, STOP, parts, tl_stream_ready(second, STOP));
    const size_t size = tl_stream_state_size(second);
    void *state = malloc(size);
    if (state) tl_stream_save(second, state, size, &error); /* to a file, for example */
    tl_stream_reset(first);
    if (state) tl_stream_restore(first, state, size, &error);
    outputs += tl_stream_push(first, series + STOP, STEPS - STOP, parts + outputs, STEPS - outputs);
    outputs += tl_stream_end(first, parts + outputs, tl_stream_rest(first));

    const bool same = outputs == expected && memcmp(whole, parts, outputs * sizeof *parts) == 0;
    printf("%zu outputs, %s\n", outputs, same ? "the same as without the stop" : "others than without the stop");
    if (tl_failed(tl_stream_error(first))) fprintf(stderr, "%s\n", tl_stream_error(first)->text);
    free(state);
    tl_stream_free(second);
    tl_stream_free(first);
    tl_model_free(model);
    return tl_failed(&error) || !same;
}
