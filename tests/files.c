#include "files.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char folder[] = "/tmp/tapline-test-XXXXXX";

int files_setup(void **unused) {
    (void)unused;
    return mkdtemp(folder) ? 0 : -1;
}

int files_teardown(void **unused) {
    (void)unused;
    return rmdir(folder);
}

const char *files_path(const char *name) {
    static char paths[4][sizeof folder + 200];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void files_write(const char *name, const void *content, size_t count) {
    FILE *file = fopen(files_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, count, file), count);
    fclose(file);
}

tl_dataset *files_read(const char *name, const void *content, size_t count, const tl_read_cfg *cfg, tl_error *error) {
    files_write(name, content, count);
    const char *path = files_path(name);
    tl_dataset *data = tl_dataset_read(path, cfg, error);
    remove(path);
    return data;
}

tl_dataset *files_read_text(const char *name, const char *text, tl_error *error) {
    return files_read(name, text, strlen(text), &(tl_read_cfg){.normalize = TL_NORMALIZE_NONE}, error);
}

void files_check_refused(const char *name, const void *content, size_t count, const char *message) {
    tl_error error = {0};
    char expected[600];
    tl_dataset *data = files_read(name, content, count, NULL, &error);
    assert_null(data);
    snprintf(expected, sizeof expected, "%s:%s", files_path(name), message);
    check_error(&error, error.status, expected);
    assert_true(error.status == TL_ERROR_FORMAT || error.status == TL_ERROR_FILE);
}

/* ---- damage ---- */

static void damage(unsigned char *file, size_t *count, tl_rng *rng, const unsigned char *likely, size_t likely_count) {
    const size_t at = tl_rng_below(rng, (uint32_t)*count);
    switch (tl_rng_below(rng, 8)) {
    case 0:
        memmove(file + at, file + at + 1, --*count - at);
        break;
    case 1:
        memmove(file + at + 1, file + at, (*count)++ - at);
        break;
    case 2:
        *count = tl_rng_below(rng, 4) ? *count : at;
        break;
    case 3:
        file[at] ^= (unsigned char)(1 << tl_rng_below(rng, 8));
        break;
    default:
        file[at] = likely ? likely[tl_rng_below(rng, (uint32_t)likely_count)] : (unsigned char)tl_rng_below(rng, 256);
    }
}

static void check_sound(const tl_dataset *data) {
    assert_true(tl_tensor_count(&data->x) > 0);
    for (size_t i = 0; i < tl_tensor_count(&data->x); i++) assert_true(isfinite(data->x.data[i]));
    for (size_t i = 0; i < data->x.shape[0] * data->target_length * data->target_channels; i++)
        assert_true(data->labels ? (size_t)data->labels[i] < data->classes : isfinite(data->values[i]));
}

void files_check_damage(const char *name, const void *content, size_t count, const void *likely, size_t likely_count, int rounds,
                        int minimum) {
    tl_rng rng = tl_rng_at(5, TL_STREAM_USER, 0, 0);
    unsigned char *file = malloc(count + 4);
    assert_non_null(file);
    int sound = 0;
    for (int round = 0; round < rounds; round++) {
        size_t size = count;
        memcpy(file, content, count);
        for (uint32_t i = 0, times = 1 + tl_rng_below(&rng, 3); i < times && size > 1; i++)
            damage(file, &size, &rng, likely, likely_count);
        tl_error error = {0};
        tl_dataset *data = files_read(name, file, size, NULL, &error);
        if ((data == NULL) != tl_failed(&error)) fail_msg("round %d: data %p, error \"%s\"", round, (void *)data, error.text);
        if (data) check_sound(data);
        sound += data != NULL;
        tl_dataset_free(data);
    }
    free(file);
    if (sound < minimum || sound == rounds) fail_msg("%s: %d of %d rounds gave a data set", name, sound, rounds);
}

/* ---- bytes ---- */

void put(bytes *to, const void *from, size_t count) {
    assert_true(count <= sizeof to->data - to->count);
    memcpy(to->data + to->count, from, count);
    to->count += count;
}

void put_text(bytes *to, const char *text) { put(to, text, strlen(text)); }

void put_integer(bytes *to, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++, value >>= 8) put(to, &(unsigned char){(unsigned char)value}, 1);
}

void put_float(bytes *to, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_integer(to, bits, sizeof bits);
}

void put_double(bytes *to, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_integer(to, bits, sizeof bits);
}

/* ---- arrays of NumPy ---- */

void put_npy_header(bytes *to, int version, const char *dictionary) {
    const size_t size = version == 1 ? 2 : 4, begin = 8 + size, used = begin + strlen(dictionary) + 1, all = (used + 63) / 64 * 64;
    put(to, "\x93NUMPY", 6);
    put_integer(to, (uint64_t)version, 2);
    put_integer(to, all - begin, size);
    put_text(to, dictionary);
    for (size_t i = used; i < all; i++) put_text(to, " ");
    put_text(to, "\n");
}

bytes npy_header(const char *descr, const char *shape) {
    bytes array = {0};
    char dictionary[200];
    snprintf(dictionary, sizeof dictionary, "{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape);
    put_npy_header(&array, 1, dictionary);
    return array;
}

static size_t deflated(const bytes *from, unsigned char *to, size_t room) {
    z_stream stream = {
        .next_in = (unsigned char *)from->data, .avail_in = (uInt)from->count, .next_out = to, .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

/* The fields that a local header and the directory have in common. */
static void put_fields(bytes *to, bool deflate, const zip_member *m, size_t packed) {
    put_integer(to, 20, 2);
    put_integer(to, 0, 2);
    put_integer(to, deflate ? 8 : 0, 2);
    put_integer(to, 0, 4);
    put_integer(to, crc32(0, m->array->data, (uInt)m->array->count), 4);
    put_integer(to, packed, 4);
    put_integer(to, m->array->count, 4);
    put_integer(to, strlen(m->name), 2);
    put_integer(to, 0, 2);
}

bytes zip_of(bool deflate, const zip_member *members, size_t count) {
    bytes file = {0};
    size_t offsets[4], packed[4];
    for (size_t i = 0; i < count; i++) {
        unsigned char buffer[8192];
        offsets[i] = file.count;
        packed[i] = deflate ? deflated(members[i].array, buffer, sizeof buffer) : members[i].array->count;
        put(&file, "PK\3\4", 4);
        put_fields(&file, deflate, &members[i], packed[i]);
        put_text(&file, members[i].name);
        put(&file, deflate ? buffer : members[i].array->data, packed[i]);
    }
    const size_t directory = file.count;
    for (size_t i = 0; i < count; i++) {
        put(&file, "PK\1\2", 4);
        put_integer(&file, 20, 2);
        put_fields(&file, deflate, &members[i], packed[i]);
        put_integer(&file, 0, 10);
        put_integer(&file, offsets[i], 4);
        put_text(&file, members[i].name);
    }
    const size_t size = file.count - directory;
    put(&file, "PK\5\6\0\0\0\0", 8);
    put_integer(&file, count, 2);
    put_integer(&file, count, 2);
    put_integer(&file, size, 4);
    put_integer(&file, directory, 4);
    put_integer(&file, 0, 2);
    return file;
}

const unsigned char files_archive[FILES_ARCHIVE] = {
    80,  75,  3,   4,   20,  0,   0,   0,   8,   0,   0,   0,   33,  0,   171, 133, 240, 180, 69,  0,   0,   0,   72,  0,
    0,   0,   5,   0,   0,   0,   120, 46,  110, 112, 121, 155, 236, 23,  234, 27,  16,  201, 200, 96,  195, 80,  173, 158,
    146, 90,  156, 92,  164, 110, 165, 160, 94,  147, 105, 168, 174, 163, 160, 158, 150, 95,  84,  82,  148, 152, 23,  159,
    95,  148, 146, 10,  18,  119, 75,  204, 41,  78,  5,   138, 23,  103, 36,  22,  164, 2,   249, 26,  134, 58,  10,  70,
    154, 58,  10,  181, 92,  140, 76,  0,   80,  75,  3,   4,   20,  0,   0,   0,   0,   0,   0,   0,   33,  0,   216, 34,
    150, 185, 69,  0,   0,   0,   69,  0,   0,   0,   5,   0,   0,   0,   121, 46,  110, 112, 121, 147, 78,  85,  77,  80,
    89,  1,   0,   58,  0,   123, 39,  100, 101, 115, 99,  114, 39,  58,  32,  39,  124, 105, 49,  39,  44,  32,  39,  102,
    111, 114, 116, 114, 97,  110, 95,  111, 114, 100, 101, 114, 39,  58,  32,  70,  97,  108, 115, 101, 44,  32,  39,  115,
    104, 97,  112, 101, 39,  58,  32,  40,  49,  44,  41,  44,  32,  125, 10,  7,   80,  75,  1,   2,   20,  3,   20,  0,
    0,   0,   8,   0,   0,   0,   33,  0,   171, 133, 240, 180, 69,  0,   0,   0,   72,  0,   0,   0,   5,   0,   0,   0,
    0,   0,   0,   0,   0,   0,   0,   0,   128, 1,   0,   0,   0,   0,   120, 46,  110, 112, 121, 80,  75,  1,   2,   20,
    3,   20,  0,   0,   0,   0,   0,   0,   0,   33,  0,   216, 34,  150, 185, 69,  0,   0,   0,   69,  0,   0,   0,   5,
    0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   128, 1,   104, 0,   0,   0,   121, 46,  110, 112, 121, 80,  75,
    5,   6,   0,   0,   0,   0,   2,   0,   2,   0,   102, 0,   0,   0,   208, 0,   0,   0,   0,   0,
};
