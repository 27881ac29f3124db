/* The shapes for the timing of convolutions: layers of published networks, from very small to far larger than the caches. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHAPE(shape_name, c, f, k, s, d, l, n, pad)                                                                                \
    {                                                                                                                              \
        .name = shape_name, .spec = {                                                                                              \
            .batch = n,                                                                                                            \
            .length = l,                                                                                                           \
            .channels = c,                                                                                                         \
            .filters = f,                                                                                                          \
            .kernel = k,                                                                                                           \
            .stride = s,                                                                                                           \
            .dilation = d,                                                                                                         \
            .padding = pad                                                                                                         \
        }                                                                                                                          \
    }

/* name, channels, filters, kernel, stride, dilation, length, batch, padding */
static const bench_shape grid[] = {
    SHAPE("fcn1", 1, 128, 8, 1, 1, 150, 16, TL_PADDING_SAME), /* FCN: Wang, Yan & Oates 2017 */
    SHAPE("fcn2", 128, 256, 5, 1, 1, 150, 16, TL_PADDING_SAME),
    SHAPE("fcn3", 256, 128, 3, 1, 1, 150, 16, TL_PADDING_SAME),
    SHAPE("resnet", 64, 64, 8, 1, 1, 150, 64, TL_PADDING_SAME),     /* ResNet: the same authors */
    SHAPE("inception", 32, 32, 40, 1, 1, 150, 64, TL_PADDING_SAME), /* InceptionTime: Ismail Fawaz et al. 2020 */
    SHAPE("bottleneck", 128, 32, 1, 1, 1, 150, 64, TL_PADDING_SAME),
    SHAPE("timecnn", 6, 12, 7, 1, 1, 48, 16, TL_PADDING_SAME),      /* Time-CNN: Zhao et al. 2017 */
    SHAPE("tcn_d1", 25, 25, 7, 1, 1, 784, 64, TL_PADDING_CAUSAL),   /* TCN on permuted MNIST: Bai, Kolter & Koltun 2018 */
    SHAPE("tcn_d16", 25, 25, 7, 1, 16, 784, 64, TL_PADDING_CAUSAL), /* (layers with dilation 1, 16 and 128) */
    SHAPE("tcn_d128", 25, 25, 7, 1, 128, 784, 64, TL_PADDING_CAUSAL),
    SHAPE("audio", 1, 32, 80, 16, 1, 8000, 256, TL_PADDING_VALID), /* raw audio, M5: Dai et al. 2017 */
    SHAPE("ecg_s1", 32, 32, 16, 1, 1, 8960, 32, TL_PADDING_SAME),  /* electrocardiograms: Hannun et al. 2019 */
    SHAPE("ecg_s2", 32, 32, 16, 2, 1, 8960, 32, TL_PADDING_SAME),  /* (with and without stride) */
    SHAPE("genomics", 4, 320, 8, 1, 1, 1000, 64, TL_PADDING_SAME), /* DeepSEA: Zhou & Troyanskaya 2015 */
    SHAPE("atac", 15, 15, 51, 1, 8, 60400, 2, TL_PADDING_SAME),    /* AtacWorks: Lal et al. 2021 */
};

const bench_shape *bench_shape_at(size_t index) { return index < sizeof grid / sizeof *grid ? &grid[index] : NULL; }

const char *bench_shape_name(size_t index) { return bench_shape_at(index) ? grid[index].name : NULL; }

static const char *const paddings[] = {[TL_PADDING_VALID] = "valid", [TL_PADDING_SAME] = "same", [TL_PADDING_CAUSAL] = "causal"};

const char *bench_padding_name(tl_padding padding) { return paddings[padding]; }

static bool parse_size(const char *text, size_t *value) {
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    *value = (size_t)number;
    return end != text && !*end && errno == 0 && number >= 1;
}

static bool parse_padding(const char *text, tl_padding *padding) {
    for (size_t i = 0; i < sizeof paddings / sizeof *paddings; i++)
        if (strcmp(text, paddings[i]) == 0) {
            *padding = (tl_padding)i;
            return true;
        }
    return false;
}

/* Reads a "key=value". */
static tl_status parse_part(const char *part, tl_conv1d_spec *spec, tl_error *error) {
    const struct {
        const char *key;
        size_t *value;
    } sizes[] = {{"channels", &spec->channels}, {"filters", &spec->filters}, {"kernel", &spec->kernel},
                 {"length", &spec->length},     {"batch", &spec->batch},     {"stride", &spec->stride},
                 {"dilation", &spec->dilation}};
    const size_t key = strcspn(part, "=");
    const char *value = part[key] ? part + key + 1 : "";
    if (strncmp(part, "padding", key) == 0 && key == strlen("padding")) {
        if (parse_padding(value, &spec->padding)) return TL_OK;
        return tl_fail(error, TL_ERROR_ARGUMENT, "shape: padding %s should be valid, same or causal", value);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (key != strlen(sizes[i].key) || strncmp(part, sizes[i].key, key) != 0) continue;
        if (parse_size(value, sizes[i].value)) return TL_OK;
        return tl_fail(error, TL_ERROR_ARGUMENT, "shape: %s %s should be a whole number from 1 to %lld", sizes[i].key, value,
                       (long long)INT64_MAX);
    }
    return tl_fail(error, TL_ERROR_ARGUMENT,
                   "shape: unknown part %s; parts are channels, filters, kernel, length, batch, stride, dilation and padding",
                   part);
}

tl_status bench_shape_parse(const char *text, bench_shape *shape, tl_error *error) {
    char part[64];
    tl_conv1d_spec *spec = &shape->spec;
    if (tl_failed(error)) return error->status;
    *shape = (bench_shape){.name = "custom", .spec = {.stride = 1, .dilation = 1, .padding = TL_PADDING_SAME}};
    for (;; text++) {
        const size_t length = strcspn(text, ",");
        snprintf(part, sizeof part, "%.*s", (int)(length < sizeof part ? length : sizeof part), text);
        if (parse_part(part, spec, error) != TL_OK) return error->status;
        text += length;
        if (!*text) break;
    }
    if (spec->channels && spec->filters && spec->kernel && spec->length && spec->batch) return TL_OK;
    return tl_fail(error, TL_ERROR_ARGUMENT, "shape: channels, filters, kernel, length and batch must all be given");
}
