/* Writes a network as an ONNX file and reads it back: both predict the same. The argument is the order of the axes in the file, nlc
 * or ncl. */
#include <tapline/tapline.h>

#include <math.h>
#include <stdio.h>

enum { LENGTH = 128, CLASSES = 3 };

int main(int argc, char **argv) {
    tl_error error = {0};
    tl_model_info info = {0};
    tl_onnx_layout layout = TL_ONNX_LAYOUT_NLC;
    if (argc > 1) tl_onnx_layout_by_name(argv[1], &layout, &error);
    tl_dataset *data = tl_dataset_read("builtin:cbf", NULL, &error);
    if (tl_failed(&error)) return fprintf(stderr, "%s\n", error.text), 1;
    tl_model *model = tl_model_new(&(tl_model_cfg){.seed = 1});
    tl_node x = tl_input(model, (tl_shape){.length = LENGTH, .channels = 1});
    x = tl_relu(model, tl_batch_norm(model, tl_conv1d(model, x, &(tl_conv1d_cfg){.filters = 8, .kernel = 9}), NULL));
    x = tl_dense(model, tl_global_average_pool(model, x), &(tl_dense_cfg){.units = CLASSES});
    tl_model_compile(model, x, &(tl_compile_cfg){.batch = 10}, &error);
    tl_fit(model, data, &(tl_fit_cfg){.epochs = 10}, NULL, &error);
    tl_onnx_export(model, "network.onnx", &(tl_onnx_export_cfg){.data = data, .layout = layout}, &error);

    tl_model *read = tl_onnx_import("network.onnx", &(tl_onnx_import_cfg){.length = LENGTH}, &info, &error);
    tl_real ours[CLASSES] = {0}, theirs[CLASSES] = {0};
    const tl_tensor first = tl_tensor_slice(&data->x, 0, 1);
    tl_tensor y = TL_VIEW(ours, 1, 1, CLASSES), z = TL_VIEW(theirs, 1, 1, CLASSES);
    tl_predict(model, &first, NULL, &y, &error);
    tl_predict(read, &first, NULL, &z, &error);
    double difference = 0;
    printf("network.onnx, axes %s:", tl_onnx_layout_name(layout));
    for (size_t i = 0; i < CLASSES && info.data.class_names; i++) {
        printf(" %s %.4f", info.data.class_names[i], (double)theirs[i]);
        difference = fmax(difference, fabs((double)(ours[i] - theirs[i])));
    }
    printf("; the difference is %.1g\n", difference);
    if (tl_failed(&error)) fprintf(stderr, "%s\n", error.text);
    tl_model_info_release(&info);
    tl_model_free(read);
    tl_model_free(model);
    tl_dataset_free(data);
    return tl_failed(&error) || !(difference < 1e-4);
}
