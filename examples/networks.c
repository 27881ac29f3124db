/* Prints the parameters and the memory of the ready-made networks for a series of 150 steps and 3 classes. Nothing is allocated for
 * them: they are only planned. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { LENGTH = 150, CLASSES = 3 };

static const struct {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
} networks[] = {{"FCN", tl_fcn},
                {"ResNet", tl_resnet},
                {"Inception", tl_inception},
                {"LITE", tl_lite},
                {"Time-CNN", tl_time_cnn},
                {"TCN", tl_tcn},
                {"WaveNet", tl_wavenet},
                {"MiniRocket", tl_mini_rocket},
                {"MultiRocket", tl_multi_rocket},
                {"Hydra", tl_hydra},
                {"MultiRocket and Hydra", tl_multi_rocket_hydra}};

int main(void) {
    tl_error error = {0};
    printf("tapline %s\n%-22s %10s  %s\n", tl_version(), "network", "parameters", "memory for a batch of 16");
    for (size_t i = 0; i < sizeof networks / sizeof *networks && !tl_failed(&error); i++) {
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
        const tl_node y = networks[i].build(model, x, CLASSES);
        tl_model_compile(model, y, &(tl_compile_cfg){.batch = 16, .plan_only = true}, &error);
        if (tl_failed(&error)) fprintf(stderr, "%s: %s\n", networks[i].name, error.text);
        printf("%-22s %10zu %7.1f MB\n", networks[i].name, tl_parameter_count(model), (double)tl_model_memory(model) / 1e6);
        tl_model_free(model);
    }
    return tl_failed(&error);
}
