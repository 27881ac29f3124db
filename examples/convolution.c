/* A convolution without a model, computed in two ways: by plain loops, and by matrix products on copied windows. Prints the time of
 * each pass, and how much the gradients differ. */
#include <tapline/conv1d.h>
#include <tapline/machine.h>
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

enum { BATCH = 8, LENGTH = 128, CHANNELS = 32, FILTERS = 32, KERNEL = 5, WEIGHTS = KERNEL * CHANNELS * FILTERS };

static tl_real x[BATCH * LENGTH * CHANNELS], dx[BATCH * LENGTH * CHANNELS], y[BATCH * LENGTH * FILTERS],
    dy[BATCH * LENGTH * FILTERS];
static tl_real weight[WEIGHTS], gradients[2][WEIGHTS], bias[FILTERS];

static double now(void) {
    struct timespec time;
    timespec_get(&time, TIME_UTC);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void run(tl_engine engine, tl_real *gradient, tl_error *error) {
    tl_conv1d_spec spec = {.batch = BATCH, .length = LENGTH, .channels = CHANNELS, .filters = FILTERS, .kernel = KERNEL};
    spec.stride = spec.dilation = 1, spec.padding = TL_PADDING_SAME, spec.threads = 1;
    spec.forward = spec.backward_input = spec.backward_weights = engine;
    tl_conv1d_plan *plan = tl_conv1d_plan_new(&spec, error);
    if (!plan) return;
    const double start = now();
    tl_conv1d_forward(plan, x, weight, bias, y);
    const double middle = now();
    tl_conv1d_backward_input(plan, dy, weight, dx);
    const double late = now();
    tl_conv1d_backward_weights(plan, x, dy, gradient, NULL);
    const double end = now(), operations = 2.0 * BATCH * (double)tl_conv1d_out_length(plan) * WEIGHTS;
    printf("%-6s forward %6.2f, to the input %6.2f, to the weights %6.2f GFLOP/s\n", tl_conv1d_engine(plan, TL_CONV1D_FORWARD),
           operations / (middle - start) / 1e9, operations / (late - middle) / 1e9, operations / (end - late) / 1e9);
    tl_conv1d_plan_free(plan);
}

int main(void) {
    tl_error error = {0};
    tl_rng rng = tl_rng_at(1, TL_STREAM_USER, 0, 0);
    for (size_t i = 0; i < sizeof x / sizeof *x; i++) x[i] = (tl_real)tl_rng_normal(&rng);
    for (size_t i = 0; i < sizeof dy / sizeof *dy; i++) dy[i] = (tl_real)tl_rng_normal(&rng);
    for (size_t i = 0; i < WEIGHTS; i++) weight[i] = (tl_real)(0.1 * tl_rng_normal(&rng));
    printf("%s, %d processors, %.0f GFLOP/s at most on one; models may take %.1f GB\n", tl_isa(), tl_processors(),
           tl_peak_gflops(0.05), (double)tl_memory_limit() / 1e9);
    run(TL_ENGINE_NAIVE, gradients[0], &error);
    run(TL_ENGINE_GEMM, gradients[1], &error);
    double difference = 0, largest = 0;
    for (size_t i = 0; i < WEIGHTS; i++) {
        difference = fmax(difference, fabs((double)(gradients[0][i] - gradients[1][i])));
        largest = fmax(largest, fabs((double)gradients[0][i]));
    }
    printf("the gradients of the weights differ by %.1g of the largest\n", difference / largest);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    return tl_failed(&error) || !(difference < 1e-4 * largest);
}
