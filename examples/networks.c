/* Prints the parameters and the memory of the ready-made networks for a series of 150 steps and 3 classes, and their default
 * settings for 100 series. Nothing is allocated for the networks: they are only planned. */
#include <tapline/tapline.h>

#include <stdio.h>

enum { LENGTH = 150, CLASSES = 3, SERIES = 100 };

static const struct {
    const char *name;
    tl_node (*build)(tl_model *model, tl_node x, size_t outputs);
} networks[] = {{"fcn", tl_fcn},
                {"resnet", tl_resnet},
                {"inception", tl_inception},
                {"lite", tl_lite},
                {"timecnn", tl_time_cnn},
                {"tcn", tl_tcn},
                {"wavenet", tl_wavenet},
                {"minirocket", tl_mini_rocket},
                {"multirocket", tl_multi_rocket},
                {"hydra", tl_hydra},
                {"multirocket-hydra", tl_multi_rocket_hydra}};

int main(void) {
    tl_error error = {0};
    printf("tapline %s\n%-18s %10s %10s %6s %6s\n", tl_version(), "network", "parameters", "memory", "epochs", "batch");
    for (size_t i = 0; i < sizeof networks / sizeof *networks && !tl_failed(&error); i++) {
        tl_model *model = tl_model_new(NULL);
        const tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
        const tl_architecture *defaults = tl_architecture_find(networks[i].name);
        const size_t batch = tl_architecture_batch(defaults, SERIES);
        const tl_node y = networks[i].build(model, x, CLASSES);
        tl_model_compile(model, y, &(tl_compile_cfg){.batch = batch, .plan_only = true}, &error);
        if (tl_failed(&error)) fprintf(stderr, "%s: %s\n", networks[i].name, error.text);
        printf("%-18s %10zu %7.1f MB %6d %6zu\n", networks[i].name, tl_parameter_count(model), (double)tl_model_memory(model) / 1e6,
               defaults->epochs, batch);
        tl_model_free(model);
    }
    printf("tl_architecture_find knows:");
    for (size_t i = 0; tl_architecture_name(i); i++) printf(" %s", tl_architecture_name(i));
    printf("\n");
    return tl_failed(&error);
}
