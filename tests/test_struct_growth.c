/* What lets structs grow: no padding at their ends, where a later field would lie in bytes that an older program did not set; and
 * room in those that are not told by size. */
#include "check.h"

#include <math.h>

/* The struct ends with its last member. */
#define ENDS(type, last)                                                                                                           \
    { #type, sizeof(type), offsetof(type, last) + sizeof(((const type *)0)->last) }

static const struct {
    const char *name;
    size_t size, end;
} structs[] = {
    ENDS(tl_conv1d_cfg, reserved),
    ENDS(tl_conv1d_transpose_cfg, reserved),
    ENDS(tl_dense_cfg, init),
    ENDS(tl_leaky_relu_cfg, slope),
    ENDS(tl_elu_cfg, alpha),
    ENDS(tl_gelu_cfg, approximate),
    ENDS(tl_affine_cfg, shift),
    ENDS(tl_pool_cfg, pad_right),
    ENDS(tl_upsample_cfg, reserved),
    ENDS(tl_embedding_cfg, reserved),
    ENDS(tl_batch_norm_cfg, epsilon),
    ENDS(tl_layer_norm_cfg, epsilon),
    ENDS(tl_group_norm_cfg, epsilon),
    ENDS(tl_dropout_cfg, reserved),
    ENDS(tl_wavenet_cfg, stacks),
    ENDS(tl_unet_cfg, levels),
    ENDS(tl_model_cfg, engine),
    ENDS(tl_compile_cfg, reserved),
    ENDS(tl_optimizer_cfg, epsilon),
    ENDS(tl_target, weights),
    ENDS(tl_group_cfg, reserved),
    ENDS(tl_schedule_cfg, reserved),
    ENDS(tl_augment_cfg, mixup),
    ENDS(tl_fit_cfg, unused),
    ENDS(tl_fit_result, best_accuracy),
    ENDS(tl_rate_range, reserved),
    ENDS(tl_architecture_cfg, layers),
    ENDS(tl_read_cfg, names),
    ENDS(tl_window_cfg, reserved),
    ENDS(tl_save_cfg, read),
    ENDS(tl_start_cfg, reserved),
    ENDS(tl_load_cfg, output),
    ENDS(tl_model_info, bytes),
    ENDS(tl_weights_cfg, max_memory),
    ENDS(tl_stream_cfg, max_memory),
    ENDS(tl_onnx_export_cfg, target_names),
    ENDS(tl_onnx_import_cfg, max_memory),
    ENDS(tl_c_export_cfg, data),
    ENDS(tl_c_export_result, memory_bytes),
    ENDS(tl_conv1d_spec, threads),
    ENDS(tl_gradient_report, skipped),
    ENDS(tl_allocator, user),
    ENDS(tl_metrics, reserved),
    ENDS(tl_dataset, reserved),
    ENDS(tl_layer_ops, reserved),
    ENDS(tl_layer, reserved),
    ENDS(tl_optimizer_ops, reserved),
};

static void given_growing_structs_when_measured_then_no_padding_at_their_ends(void **unused) {
    (void)unused;
    for (size_t i = 0; i < sizeof structs / sizeof *structs; i++)
        if (structs[i].size != structs[i].end)
            fail_msg("%s: its members end after %zu of %zu bytes; name the rest `reserved`", structs[i].name, structs[i].end,
                     structs[i].size);
}

static void given_a_later_field_in_a_data_set_when_checked_then_refused(void **unused) {
    (void)unused;
    tl_error error = {0};
    tl_metrics metrics;
    tl_real x[2] = {1, 2};
    int32_t labels[2] = {0, 1};
    tl_dataset data = {.x = TL_VIEW(x, 2, 1, 1), .labels = labels, .classes = 2};
    tl_model *model = tl_model_new(NULL);
    tl_model_compile(model, tl_dense(model, tl_input(model, (tl_shape){1, 1}), &(tl_dense_cfg){.units = 2}), NULL, &error);
    tl_evaluate(model, &data, &metrics, &error);
    check_ok(&error);
    for (size_t i = 0; i < sizeof metrics.reserved / sizeof *metrics.reserved; i++) assert_true(isnan(metrics.reserved[i]));
    data.reserved[3] = x;
    tl_evaluate(model, &data, &metrics, &error);
    check_error(&error, TL_ERROR_ARGUMENT, "the data set has a field that tapline ");
    tl_model_free(model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_growing_structs_when_measured_then_no_padding_at_their_ends),
        cmocka_unit_test(given_a_later_field_in_a_data_set_when_checked_then_refused),
    };
    return check_run(tests);
}
