/* Prints what a model file says. The argument is its path; without one, the program writes a small model first. */
#include <tapline/tapline.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_model(const char *path, tl_error *error) {
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, error);
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 42});
    tl_node x = tl_input(model, (tl_shape){.length = 128, .channels = 1});
    x = tl_relu(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 4, .kernel = 9}));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = 3});
    tl_model_compile(model, x, NULL, error);
    tl_model_save(model, path, &(tl_save_cfg){.data = data}, error);
    tl_model_free(model);
    tl_dataset_free(data);
}

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_model_info info = {0};
    const char *path = argc > 1 ? argv[1] : "described.safetensors";
    if (tl_version_number() < TL_VERSION_NUMBER)
        tl_fail(&error, TL_ERROR_STATE, "the library has version %s, older than the headers of this program", tl_version());
    if (argc == 1) write_model(path, &error);
    const char *precision = tl_file_precision(path, &error);
    if (precision && strcmp(precision, tl_precision()) != 0)
        printf("numbers are converted from %s to %s\n", precision, tl_precision());

    tl_model *model = tl_model_load(path, &(tl_load_cfg){.threads = 1, .compile.batch = 10}, &info, &error);
    const tl_shape in = tl_input_shape(model), out = tl_output_shape(model);
    if (!tl_failed(&error)) {
        printf("%s: %s, %zu bytes, written by tapline %s\n", path, info.precision, info.bytes, info.version);
        printf("series of %zu steps and %zu channels, scaled by \"%s\"; %zu × %zu outputs\n", in.length, in.channels,
               tl_normalization_name(info.normalize), out.length, out.channels);
        printf("loss %s; seed %" PRIu64 "; here in batches of %zu on %d thread\n", tl_loss_name(tl_model_loss(model)),
               tl_model_seed(model), tl_model_batch(model), tl_model_threads(model));
        for (size_t i = 0; i < info.data.classes && info.data.class_names; i++)
            printf("class %zu: %s\n", i, info.data.class_names[i]);
        for (size_t i = 0; i < tl_parameter_arrays(model); i++) {
            const tl_parameter array = tl_parameter_at(model, i);
            printf("%s.%s: %zu numbers\n", array.layer, array.name, tl_tensor_count(&array.value));
        }
    } else
        fprintf(stderr, "%s\n", error.text);
    const bool right = argc > 1 || (in.length == 128 && out.channels == 3 && tl_model_seed(model) == 42);
    tl_model_free(model);
    tl_model_info_release(&info);
    return tl_failed(&error) || !right;
}
