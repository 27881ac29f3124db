/* Arrays of NumPy as data sets: .npy and .npz, stored and deflated, what is refused and with which words. */
#include "files.h"

#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* ---- arrays ---- */

/* A header with this dictionary, filled up to a multiple of 64 bytes as NumPy does. */
static void put_header(bytes *to, int version, const char *dictionary) {
    const size_t size = version == 1 ? 2 : 4, begin = 8 + size, used = begin + strlen(dictionary) + 1, all = (used + 63) / 64 * 64;
    put(to, "\x93NUMPY", 6);
    put_integer(to, (uint64_t)version, 2);
    put_integer(to, all - begin, size);
    put_text(to, dictionary);
    for (size_t i = used; i < all; i++) put_text(to, " ");
    put_text(to, "\n");
}

static bytes header_of(const char *descr, const char *shape) {
    bytes array = {0};
    char dictionary[200];
    snprintf(dictionary, sizeof dictionary, "{'descr': %s, 'fortran_order': False, 'shape': %s, }", descr, shape);
    put_header(&array, 1, dictionary);
    return array;
}

/* Two labels with two values each: 3 and 10; 1, 2 and -3, 4. */
static bytes table_of(int version, const char *descr, size_t size) {
    static const int values[] = {3, 1, 2, 10, -3, 4};
    bytes array = {0};
    char dictionary[200];
    snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': False, 'shape': (2, 3), }", descr);
    put_header(&array, version, dictionary);
    for (size_t i = 0; i < 6; i++) {
        if (descr[1] == 'f' && size == 4)
            put_float(&array, (float)values[i]);
        else if (descr[1] == 'f')
            put_double(&array, values[i]);
        else
            put_integer(&array, (uint64_t)(int64_t)values[i], size);
    }
    return array;
}

static void given_a_table_of_any_type_when_read_then_label_and_values(void **unused) {
    (void)unused;
    static const struct {
        const char *descr;
        size_t size;
    } types[] = {{"<f4", 4}, {"<f8", 8}, {"|i1", 1}, {"<i2", 2}, {"<i4", 4}, {"<i8", 8}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        for (int version = 1; version <= 3; version++) {
            tl_error error = {0};
            const bytes file = table_of(version, types[i].descr, types[i].size);
            tl_dataset *data = files_read("a.npy", file.data, file.count, &(tl_read_cfg){.raw = true}, &error);
            check_ok(&error);
            check_equal(types[i].descr, data->x.data, (const tl_real[]){1, 2, -3, 4}, 4);
            assert_string_equal(data->class_names[data->labels[0]], "3");
            assert_string_equal(data->class_names[data->labels[1]], "10");
            tl_dataset_free(data);
        }
    }
}

static void given_unsigned_numbers_and_bools_when_read_then_never_negative(void **unused) {
    (void)unused;
    static const struct {
        const char *descr;
        size_t size;
        double largest;
    } types[] = {{"'|u1'", 1, 255},
                 {"'<u2'", 2, 65535},
                 {"'<u4'", 4, 4294967295.0},
                 {"'<u8'", 8, 18446744073709551615.0},
                 {"'|b1'", 1, 255}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        tl_error error = {0};
        bytes file = header_of(types[i].descr, "(1, 2)");
        put_integer(&file, 1, types[i].size);
        put_integer(&file, UINT64_MAX, types[i].size);
        tl_dataset *data = files_read("a.npy", file.data, file.count, &(tl_read_cfg){.raw = true}, &error);
        check_ok(&error);
        check_equal(types[i].descr, data->x.data, (const tl_real[]){(tl_real)types[i].largest}, 1);
        tl_dataset_free(data);
    }
}

/* ---- archives ---- */

typedef struct member {
    const char *name;
    const bytes *array;
} member;

static size_t deflated(const bytes *from, unsigned char *to, size_t room) {
    z_stream stream = {
        .next_in = (unsigned char *)from->data, .avail_in = (uInt)from->count, .next_out = to, .avail_out = (uInt)room};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    return stream.total_out;
}

/* The fields that a local header and the directory have in common. */
static void put_fields(bytes *to, bool deflate, const member *m, size_t packed) {
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

static bytes zip_of(bool deflate, const member *members, size_t count) {
    bytes file = {0};
    size_t offsets[3], packed[3];
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

/* Two series of two steps and two channels. */
static bytes x_array(void) {
    bytes array = header_of("'<f4'", "(2, 2, 2)");
    for (int i = 0; i < 8; i++) put_float(&array, (float)(i * i));
    return array;
}

static bytes text_labels(void) {
    bytes array = header_of("'<U3'", "(2,)");
    static const uint32_t characters[] = {'h', 0xF6, 'r', 'a', 0, 0};
    for (size_t i = 0; i < 6; i++) put_integer(&array, characters[i], 4);
    return array;
}

static bytes archive_of(bool deflate, const bytes *x, const bytes *y) {
    return zip_of(deflate, (const member[]){{"y.npy", y}, {"x.npy", x}}, 2);
}

static void given_an_archive_stored_or_deflated_when_read_then_series_and_labels(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    for (int deflate = 0; deflate < 2; deflate++) {
        tl_error error = {0};
        const bytes file = archive_of(deflate, &x, &y);
        tl_dataset *data = files_read("a.npz", file.data, file.count, &(tl_read_cfg){.raw = true}, &error);
        check_ok(&error);
        assert_int_equal(data->x.shape[0], 2);
        assert_int_equal(data->x.shape[1], 2);
        assert_int_equal(data->x.shape[2], 2);
        check_equal("x", data->x.data, (const tl_real[]){0, 1, 4, 9, 16, 25, 36, 49}, 8);
        assert_string_equal(data->class_names[data->labels[0]], "h\u00f6r");
        assert_string_equal(data->class_names[data->labels[1]], "a");
        tl_dataset *again = files_read("b.npz", file.data, file.count, &(tl_read_cfg){.like = data}, &error);
        check_ok(&error);
        assert_int_equal(again->labels[1], data->labels[1]);
        tl_dataset_free(again);
        tl_dataset_free(data);
    }
}

static void given_targets_that_are_floats_when_read_then_regression(void **unused) {
    (void)unused;
    tl_error error = {0};
    bytes x = header_of("'|i1'", "(2, 2)"), y = header_of("'<f8'", "(2, 1)");
    put_integer(&x, 0x04fe0201, 4);
    put_double(&y, 0.25);
    put_double(&y, -7);
    const bytes file = zip_of(true, (const member[]){{"X.npy", &x}, {"Y.npy", &y}}, 2);
    tl_dataset *data = files_read("r.npz", file.data, file.count, &(tl_read_cfg){.raw = true}, &error);
    check_ok(&error);
    assert_int_equal(data->classes, 0);
    check_equal("x", data->x.data, (const tl_real[]){1, 2, -2, 4}, 4);
    check_equal("y", data->values, (const tl_real[]){(tl_real)0.25, -7}, 2);
    tl_dataset_free(data);
}

static void given_whole_numbers_as_targets_when_read_then_classes(void **unused) {
    (void)unused;
    tl_error error = {0};
    const bytes x = x_array();
    bytes y = header_of("'<i8'", "(2,)");
    put_integer(&y, 12, 8);
    put_integer(&y, UINT64_MAX, 8);
    const bytes file = archive_of(false, &x, &y);
    tl_dataset *data = files_read("c.npz", file.data, file.count, NULL, &error);
    check_ok(&error);
    assert_string_equal(data->class_names[0], "-1");
    assert_string_equal(data->class_names[1], "12");
    assert_int_equal(data->labels[0], 1);
    tl_dataset_free(data);
}

/* ---- what is refused ---- */

#define TYPES "a little-endian float ('<f4', '<f8'), whole number ('<i1' to '<u8'), '|b1' or text ('<U'), got "

static void given_a_header_that_is_not_read_when_read_then_the_message_says_what_is(void **unused) {
    (void)unused;
    static const char *const cases[][2] = {
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'>f4'\""},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'|O'\""},
        {"{'descr': '<f2', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<f2'\""},
        {"{'descr': '<b4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<b4'\""},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'|f4'\""},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'f4'\""},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2, 3), }",
         "20: expected " TYPES "\"[('a', '<f4')], 'fortran…\""},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
         "44: expected False (C order; numpy.ascontiguousarray gives it), got \"True\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "61: expected the length of an axis, got \"-1,), }\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1), }", "70: expected at most 3 axes, got \"1), }\""},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }",
         "128: expected an array of shape (1099511627776, 1099511627776), which no memory holds, got 0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4, 1000000), }",
         "128: expected 16000000 bytes for the shape (4, 1000000), got 0 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }", "128: expected an array with elements, got (0, 4)"},
        {"{'descr': '<f4', 'fortran_order': False, }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'descr': '<f4', 'shape': (2, 3), }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'fortran_order': False, 'shape': (2, 3), }", "64: expected descr, fortran_order and shape, each once, got nothing"},
        {"{'descr': '<U0', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<U0'\""},
        {"{'descr': '>U4', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'>U4'\""},
        {"{'descr': '<i3', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<i3'\""},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (2, 3), }", "20: expected " TYPES "\"'<c8'\""},
        {"{'descr': '<f4', 'descr': '<f4', }", "28: expected descr, fortran_order and shape, each once, got \"descr\""},
        {"{'descr': '<f4', 'order': 'C', }", "28: expected descr, fortran_order and shape, each once, got \"order\""},
        {"{'descr' '<f4'", "19: expected a :, got \"'<f4'\""},
        {"{descr", "11: expected a word in quotes, got \"descr\""},
        {"['descr'", "10: expected a {, got \"['descr'\""},
        {"{'descr': '<f4'", "64: expected a }, got nothing"},
        {"{'descr': '<f4', 'shape': (1 2)", "39: expected a ), got \"2)\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bytes file = {0};
        char message[400];
        put_header(&file, 1, cases[i][0]);
        snprintf(message, sizeof message, " offset %s", cases[i][1]);
        files_check_refused("a.npy", file.data, file.count, message);
    }
}

static void given_arrays_that_are_no_data_set_when_read_then_the_message_says_which_would_be(void **unused) {
    (void)unused;
    static const struct {
        const char *descr, *shape;
        size_t size;
        const char *message;
    } cases[] = {
        {"'<f4'", "(3,)", 12,
         " offset 128: expected the shape (count, 1 + length), the label first in each row (a .npz holds x and y apart), got (3,)"},
        {"'<f4'", "(1, 1)", 4,
         "the shape (count, 1 + length), the label first in each row (a .npz holds x and y apart), got (1, 1)"},
        {"'<f4'", "(1, 2, 3)", 24, "(a .npz holds x and y apart), got (1, 2, 3)"},
        {"'<f4'", "()", 4, "(a .npz holds x and y apart), got ()"},
        {"'<U1'", "(1, 2)", 8, " offset 128: expected numbers, got texts"},
        {"'<f4'", "(1, 2)", 9, " offset 128: expected 8 bytes for the shape (1, 2), got 9 bytes"},
        {"'<f4'", "(1, 2)", 7, " offset 128: expected 8 bytes for the shape (1, 2), got 7 bytes"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tl_error error = {0};
        bytes file = header_of(cases[i].descr, cases[i].shape);
        for (size_t b = 0; b < cases[i].size; b++) put_integer(&file, 0, 1);
        assert_null(files_read("a.npy", file.data, file.count, NULL, &error));
        check_error(&error, TL_ERROR_FORMAT, cases[i].message);
    }
}

static void given_numbers_that_are_none_when_read_then_the_offset_of_the_first(void **unused) {
    (void)unused;
    bytes file = table_of(1, "<f4", 4);
    memcpy(file.data + 128 + 20, "\0\0\xc0\x7f", 4);
    files_check_refused(
        "a.npy", file.data, file.count,
        " offset 148: expected a finite number (--missing, tl_read_cfg.missing, says what a missing value becomes), got nan");
    memcpy(file.data + 128 + 12, "\0\0\x80\x7f", 4);
    files_check_refused("a.npy", file.data, file.count, " offset 140: expected a finite number, got inf");
    memcpy(file.data + 128 + 12, "\0\0\x20\x40", 4);
    files_check_refused("a.npy", file.data, file.count,
                        " offset 140: expected a label, which is a whole number, first in the row, got 2.5");
}

static void given_no_npy_when_read_then_refused(void **unused) {
    (void)unused;
    bytes file = {0};
    put(&file, "\x93NUMPY\4\0\0\0", 10);
    files_check_refused("a.npy", file.data, file.count, " offset 6: expected version 1.0, 2.0 or 3.0 of the format, got 4.0");
    file.data[6] = 2;
    files_check_refused("a.npy", file.data, file.count,
                        " offset 8: expected 4 bytes of a .npy header, got 2 before the end of the file");
    file.count = 8;
    put_integer(&file, 0xFFFFFFF0, 4);
    files_check_refused("a.npy", file.data, file.count, " offset 8: expected a header of at most 65535 bytes, got 4294967280");
    files_check_refused("a.npy", "1,2,3,4,5\n", 10, " offset 0: expected an array of NumPy (\\x93NUMPY), got other bytes");
    files_check_refused("a.npy", "", 0, " offset 0: expected 8 bytes of a .npy header, got 0 before the end of the file");
}

static void given_arrays_that_do_not_fit_when_read_then_both_are_named(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    bytes flat = header_of("'<f4'", "(2,)"), three = header_of("'|i1'", "(3,)"), wide = header_of("'<U256'", "(2,)");
    bytes surrogate = header_of("'<U1'", "(2,)"), empty = header_of("'<U1'", "(2,)");
    put_integer(&flat, 0, 8);
    put_integer(&three, 0, 3);
    for (int i = 0; i < 2048; i++) put_integer(&wide, 0, 1);
    put_integer(&surrogate, 0xD800, 8);
    put_integer(&empty, 'a', 8);
    const struct {
        const bytes *x, *y;
        const char *message;
    } cases[] = {
        {&flat, &y, " x.npy: offset 128: expected the shape (count, length, channels) or (count, length), got (2,)"},
        {&y, &y, " x.npy: offset 128: expected numbers, got texts"},
        {&x, &three, " y.npy: offset 128: expected the shape (2,), a label or value for each series, got (3,)"},
        {&x, &x, " y.npy: offset 128: expected the shape (2,), a label or value for each series, got (2, 2, 2)"},
        {&x, &wide, " y.npy: offset 128: expected labels of at most 255 characters, got 256"},
        {&x, &surrogate, " y.npy: offset 128: expected a character, got U+D800"},
        {&x, &empty, " y.npy: offset 136: expected a label, got nothing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const bytes file = archive_of(i % 2, cases[i].x, cases[i].y);
        files_check_refused("a.npz", file.data, file.count, cases[i].message);
    }
}

/* `back` bytes before the end of the archive becomes `value`. */
static void check_patched(const bytes *file, size_t at, unsigned value, size_t size, const char *message) {
    bytes patched = *file, number = {0};
    put_integer(&number, value, size);
    memcpy(patched.data + at, number.data, size);
    files_check_refused("a.npz", patched.data, patched.count, message);
}

static void given_a_broken_archive_when_read_then_the_message_says_where(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels(), stored = archive_of(false, &x, &y), packed = archive_of(true, &x, &y);
    /* y: 30 + 5 + 152 bytes; x: 30 + 5 + 160; the directory: 2 · (46 + 5). */
    const size_t x_local = 187, directory = 382, x_entry = directory + 51, end = directory + 102;
    assert_int_equal(stored.count, end + 22);
    files_check_refused("a.npz", "PK", 2,
                        " offset 0: expected 22 bytes of the end of a zip archive, got 2 before the end of the file");
    check_patched(&stored, end, 0, 1, " offset 484: expected the end of a zip archive, got other bytes");
    check_patched(&stored, end + 10, 0xFFFF, 2, " offset 484: expected an archive of less than 4 GiB, got zip64");
    check_patched(&stored, end + 16, 600, 4, " offset 506: expected a file of at least 600 bytes, got the end of the file");
    check_patched(&stored, end + 10, 3, 2,
                  " offset 484: expected 46 bytes of an entry of the zip directory, got 22 before the end of the file");
    check_patched(&stored, directory, 0, 1, " offset 382: expected an entry of the zip directory, got other bytes");
    check_patched(&stored, x_entry + 46, 'z', 1, " offset 382: expected a member x.npy, got \"y.npy, z.npy\"");
    check_patched(&stored, directory + 46, 'X', 1, " offset 484: expected either X.npy or x.npy, got both");
    check_patched(&stored, x_entry + 8, 1, 2, " offset 187: expected x.npy as a plain member, got an encrypted one");
    check_patched(&stored, x_entry + 10, 12, 2, " offset 187: expected x.npy stored or deflated, got method 12");
    check_patched(&stored, x_entry + 24, UINT32_MAX, 4, " offset 187: expected x.npy of less than 4 GiB, got zip64");
    check_patched(&stored, x_entry + 24, 161, 4,
                  " offset 187: expected as many bytes of x.npy as its stored bytes can give, got 161 from 160");
    check_patched(&stored, x_local, 0, 1, " offset 187: expected a member of a zip archive, got other bytes");
    check_patched(&stored, x_local + 28, 1000, 2, " offset 217: expected a file of at least 1222 bytes, got the end of the file");
    check_patched(&stored, x_local + 28, 200, 2, " offset 422: expected 160 bytes of x.npy, got the end of the file");
    check_patched(&stored, x_local + 35 + 135, 1, 1, " x.npy: offset 144: expected the checksum ");
    const size_t packed_entry = packed.count - 22 - 51, size = packed.data[packed_entry + 20];
    char message[120];
    snprintf(message, sizeof message, ": expected as many bytes of x.npy as its deflated bytes can give, got 2147483647 from %zu",
             size);
    tl_error error = {0};
    bytes patched = packed;
    memcpy(patched.data + packed_entry + 24, "\xff\xff\xff\x7f", 4); /* a small file that asks for 2 GiB */
    assert_null(files_read("a.npz", patched.data, patched.count, NULL, &error));
    check_error(&error, TL_ERROR_FORMAT, message);
}

static void given_damaged_deflated_bytes_when_read_then_refused(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels();
    bytes file = archive_of(true, &x, &y);
    const size_t entry = file.count - 22 - 51, local = file.data[entry + 42];
    memset(file.data + local + 35, 0xFF, 4);
    files_check_refused("a.npz", file.data, file.count, " x.npy: offset 0: expected deflated bytes, got invalid block type");
    file = archive_of(true, &x, &y);
    file.data[entry + 20] = 20; /* of the deflated bytes, the first 20 */
    files_check_refused("a.npz", file.data, file.count, " x.npy: offset 10: expected deflated bytes, got their end");
}

static void given_random_damage_when_read_then_a_sound_data_set_or_a_message(void **unused) {
    (void)unused;
    const bytes x = x_array(), y = text_labels(), table = table_of(1, "<f4", 4);
    files_check_damage("f.npy", table.data, table.count, NULL, 0, 10000, 500);
    for (int deflate = 0; deflate < 2; deflate++) {
        const bytes file = archive_of(deflate, &x, &y);
        files_check_damage("f.npz", file.data, file.count, NULL, 0, 10000, 100);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_a_table_of_any_type_when_read_then_label_and_values),
        cmocka_unit_test(given_unsigned_numbers_and_bools_when_read_then_never_negative),
        cmocka_unit_test(given_an_archive_stored_or_deflated_when_read_then_series_and_labels),
        cmocka_unit_test(given_targets_that_are_floats_when_read_then_regression),
        cmocka_unit_test(given_whole_numbers_as_targets_when_read_then_classes),
        cmocka_unit_test(given_a_header_that_is_not_read_when_read_then_the_message_says_what_is),
        cmocka_unit_test(given_arrays_that_are_no_data_set_when_read_then_the_message_says_which_would_be),
        cmocka_unit_test(given_numbers_that_are_none_when_read_then_the_offset_of_the_first),
        cmocka_unit_test(given_no_npy_when_read_then_refused),
        cmocka_unit_test(given_arrays_that_do_not_fit_when_read_then_both_are_named),
        cmocka_unit_test(given_a_broken_archive_when_read_then_the_message_says_where),
        cmocka_unit_test(given_damaged_deflated_bytes_when_read_then_refused),
        cmocka_unit_test(given_random_damage_when_read_then_a_sound_data_set_or_a_message),
    };
    return cmocka_run_group_tests(tests, files_setup, files_teardown) != 0;
}
