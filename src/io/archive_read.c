/* Reads archives (archive.h). A file may contain anything: everything is checked before it is used, and the header before the rest
 * is read. Reading takes at most the size of the file plus 40 MB. */
#include "io/archive.h"

#include "base/argument.h"
#include "base/memory.h"
#include "io/checksum.h"
#include "io/json.h"
#include "io/system.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PREFIX = 8,           /* bytes of the length of the header */
    MAX_HEADER = 4 << 20, /* in bytes; the header of a network of 100 layers has 50 thousand */
};

static tl_status complain(const tl_archive *archive, tl_error *error, const char *format, ...) TL_PRINTF(3, 4);
static tl_status complain(const tl_archive *archive, tl_error *error, const char *format, ...) {
    char text[300];
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    return tl_fail(error, TL_ERROR_FORMAT, "%.180s: %s", archive->path, text);
}

/* ---- contents of the file ---- */

static tl_status measure(tl_archive *archive, int file, tl_error *error) {
    struct stat about;
    if (fstat(file, &about) != 0) return tl_fail(error, TL_ERROR_FILE, "%.180s: %s", archive->path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return tl_fail(error, TL_ERROR_FILE, "%.180s: is %s, not a file", archive->path, tl_system_kind(about.st_mode));
    archive->size = (size_t)about.st_size;
    return TL_OK;
}

/* Reads the image up to `size` bytes; `before` of them were read already. */
static tl_status read_to(tl_archive *archive, int file, size_t before, size_t size, tl_error *error) {
    unsigned char *image = realloc(archive->image, size);
    if (!image) return tl_fail(error, TL_ERROR_MEMORY, "%.180s: out of memory for its %zu bytes", archive->path, size);
    archive->image = image;
    if (archive->bytes) return memcpy(image + before, archive->bytes + before, size - before), TL_OK;
    if (tl_system_read(file, image + before, size - before)) return TL_OK;
    return tl_fail(error, TL_ERROR_FILE, "%.180s: cannot be read: %s", archive->path,
                   errno ? strerror(errno) : "it became shorter while it was read");
}

/* ---- the header ---- */

/* Reads the header; *length [OUT]: its bytes. */
static tl_status read_header(tl_archive *archive, int file, size_t *length, tl_error *error) {
    uint64_t announced;
    if (archive->size < PREFIX + 2)
        return complain(archive, error, "has %zu bytes; a safetensors file has at least %d", archive->size, PREFIX + 2);
    if (read_to(archive, file, 0, PREFIX, error) != TL_OK) return error->status;
    memcpy(&announced, archive->image, PREFIX);
    *length = (size_t)announced;
    if (announced < 2 || announced > archive->size - PREFIX || announced > MAX_HEADER)
        return complain(archive, error,
                        "is not a safetensors file: its header would have %llu bytes; expected 2 to %d, and at most the %zu that "
                        "follow",
                        (unsigned long long)announced, MAX_HEADER, archive->size - PREFIX);
    return read_to(archive, file, PREFIX, PREFIX + *length, error);
}

/* Returns NULL on failure. */
static json_t *parse_header(const tl_archive *archive, size_t length, tl_error *error) {
    json_error_t wrong;
    const char *text = (const char *)archive->image + PREFIX;
    if (!tl_json_bounded(text, length)) {
        complain(archive, error, "the header has more than %d values", TL_JSON_VALUES);
        return NULL;
    }
    json_t *root = *text == '{' ? json_loadb(text, length, JSON_REJECT_DUPLICATES, &wrong) : NULL;
    if (!root && *text == '{')
        complain(archive, error, "the header is not JSON: %d:%d: %s", wrong.line, wrong.column, wrong.text);
    else if (!root)
        complain(archive, error, "is not a safetensors file: the header begins with byte 0x%02x, not with '{'",
                 (unsigned char)*text);
    return root;
}

/* ---- texts ---- */

/* Checked first, since all else may differ in another version. */
static tl_status check_version(const tl_archive *archive, const json_t *metadata, tl_error *error) {
    const char *version = json_string_value(json_object_get(metadata, "version")),
               *writer = json_string_value(json_object_get(metadata, "tapline"));
    if (!version || strcmp(version, TL_FILE_VERSION) == 0) return TL_OK; /* without one: damaged, which other checks find */
    return complain(archive, error,
                    "has format version %.20s, written by tapline %.20s; tapline %s reads version " TL_FILE_VERSION
                    " only: use a later tapline",
                    version, writer ? writer : "?", tl_version());
}

static tl_status take_metadata(tl_archive *archive, json_t *root, tl_error *error) {
    json_t *metadata = json_object_get(root, "__metadata__"), *value;
    const char *key;
    const char *format = json_string_value(json_object_get(metadata, "format"));
    const bool own = format && strcmp(format, "tapline") == 0;
    if (archive->plain) {
        json_object_del(root, "__metadata__");
        return own ? complain(archive, error, "is a model file of tapline, not weights of another program") : TL_OK;
    }
    if (!own)
        return complain(archive, error,
                        "is a safetensors file of another program (\"format\" is \"%.40s\"; expected \"tapline\"); `tapline "
                        "import` reads its weights",
                        format ? format : "");
    if (check_version(archive, metadata, error) != TL_OK) return error->status;
    json_object_foreach(metadata, key, value) {
        if (!json_is_string(value)) return complain(archive, error, "metadata \"%.40s\" is not a text", key);
    }
    const char *precision = json_string_value(json_object_get(metadata, "precision"));
    if (!precision || (strcmp(precision, "f32") != 0 && strcmp(precision, "f64") != 0))
        return complain(archive, error, "metadata \"precision\": expected f32 or f64, found \"%.20s\"", precision ? precision : "");
    archive->element = strcmp(precision, "f64") == 0 ? sizeof(double) : sizeof(float);
    const char *kind = json_string_value(json_object_get(metadata, "kind"));
    archive->typed = kind && strcmp(kind, "quantized") == 0;
    archive->metadata = json_incref(metadata);
    json_object_del(root, "__metadata__");
    return TL_OK;
}

const char *tl_archive_get(const tl_archive *archive, const char *key, tl_error *error) {
    if (tl_failed(error)) return NULL;
    const char *text = json_string_value(json_object_get(archive->metadata, key));
    if (!text) complain(archive, error, "metadata \"%s\" is missing", key);
    return text;
}

json_t *tl_archive_parse(const tl_archive *archive, const char *key, tl_error *error) {
    char where[300];
    const char *text = tl_archive_get(archive, key, error);
    if (!text) return NULL;
    snprintf(where, sizeof where, "%.180s: %s", archive->path, key);
    return tl_json_parse(text, strlen(text), where, error);
}

/* ---- arrays ---- */

static bool read_size(const json_t *value, size_t *size) {
    *size = (size_t)json_integer_value(value);
    return json_is_integer(value) && json_integer_value(value) >= 0;
}

static tl_status read_shape(const tl_archive *archive, tl_array *array, const json_t *shape, tl_error *error) {
    array->rank = json_array_size(shape);
    if (!json_is_array(shape) || array->rank < 1 || array->rank > TL_MAX_RANK)
        return complain(archive, error, "array %s: expected a \"shape\" of 1 to %d sizes", array->name, TL_MAX_RANK);
    array->bytes = array->element;
    for (size_t axis = 0; axis < array->rank; axis++) {
        if (!read_size(json_array_get(shape, axis), &array->shape[axis]))
            return complain(archive, error, "array %s: axis %zu of its shape is not a size", array->name, axis);
        if (!tl_multiply_sizes(array->bytes, array->shape[axis], &array->bytes))
            return complain(archive, error, "array %s: its shape has more elements than memory can address", array->name);
    }
    return TL_OK;
}

/* Returns the bytes of an element; 0 if the archive may not have this type. */
static size_t element_of(const tl_archive *archive, const char *type) {
    if (!type) return 0;
    if (archive->typed && strcmp(type, "I8") == 0) return sizeof(int8_t);
    if (archive->typed && strcmp(type, "I32") == 0) return sizeof(int32_t);
    return strcmp(type, "F32") == 0 ? sizeof(float) : strcmp(type, "F64") == 0 ? sizeof(double) : 0;
}

static tl_status read_array(const tl_archive *archive, tl_array *array, const char *name, const json_t *entry, tl_error *error) {
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    const json_t *place = json_object_get(entry, "data_offsets");
    size_t end, expected;
    *array = (tl_array){.element = element_of(archive, type)};
    if (strlen(name) >= sizeof array->name) return complain(archive, error, "array %.40s…: the name is too long", name);
    snprintf(array->name, sizeof array->name, "%s", name);
    if (json_object_size(entry) != 3 || json_array_size(place) != 2)
        return complain(archive, error, "array %s: expected \"dtype\", \"shape\" and two \"data_offsets\"", name);
    if (array->element == 0 && !(archive->plain && type))
        return complain(archive, error, "array %s: expected the type F32 or F64, found %.20s", name, type ? type : "none");
    snprintf(array->type, sizeof array->type, "%s", type);
    if (array->element > 0 && read_shape(archive, array, json_object_get(entry, "shape"), error) != TL_OK) return TL_ERROR_FORMAT;
    if (!read_size(json_array_get(place, 0), &array->first) || !read_size(json_array_get(place, 1), &end))
        return complain(archive, error, "array %s: its offsets are not sizes", name);
    if (array->element == 0 && end >= array->first) array->bytes = end - array->first;
    if (!tl_sum(array->first, array->bytes, &expected) || expected != end)
        return complain(archive, error, "array %s: expected %zu bytes for its shape, found offsets %zu to %zu", name, array->bytes,
                        array->first, end);
    return TL_OK;
}

static int compare_places(const void *a, const void *b) {
    const tl_array *one = a, *other = b;
    if (one->first != other->first) return one->first < other->first ? -1 : 1;
    return (one->bytes > other->bytes) - (one->bytes < other->bytes);
}

/* Each array must begin where the one before it ends, and the last one must end with the file. */
static tl_status check_places(tl_archive *archive, size_t header, tl_error *error) {
    const size_t size = archive->size - PREFIX - header;
    size_t at = 0;
    qsort(archive->array, archive->arrays, sizeof *archive->array, compare_places);
    for (size_t i = 0; i < archive->arrays; i++) {
        tl_array *array = &archive->array[i];
        if (array->first != at)
            return complain(archive, error, "array %s: expected it at offset %zu, found it at %zu", array->name, at, array->first);
        if (array->bytes > size - at)
            return complain(archive, error, "array %s: ends at offset %zu; the file has %zu bytes of arrays", array->name,
                            at + array->bytes, size);
        at += array->bytes;
    }
    if (at != size) return complain(archive, error, "the arrays have %zu bytes; the file has %zu", at, size);
    return TL_OK;
}

static int compare_names(const void *a, const void *b) {
    const tl_array *one = *(const tl_array *const *)a, *other = *(const tl_array *const *)b;
    return strcmp(one->name, other->name);
}

static tl_status take_arrays(tl_archive *archive, json_t *root, size_t header, tl_error *error) {
    const size_t count = json_object_size(root);
    const char *name;
    json_t *entry;
    archive->array = calloc(count + 1, sizeof *archive->array);
    archive->by_name = calloc(count + 1, sizeof *archive->by_name);
    if (!archive->array || !archive->by_name) return tl_fail(error, TL_ERROR_MEMORY, "%.180s: out of memory", archive->path);
    json_object_foreach(root, name, entry) {
        if (read_array(archive, &archive->array[archive->arrays++], name, entry, error) != TL_OK) return TL_ERROR_FORMAT;
    }
    if (check_places(archive, header, error) != TL_OK) return TL_ERROR_FORMAT;
    for (size_t i = 0; i < count; i++) archive->by_name[i] = &archive->array[i];
    qsort(archive->by_name, count, sizeof *archive->by_name, compare_names);
    return TL_OK;
}

/* ---- the file ---- */

static tl_status verify_checksum(const tl_archive *archive, size_t header, tl_error *error) {
    char expected[TL_CHECKSUM_DIGITS + 1];
    const char *found = tl_checksum_in((const char *)archive->image + PREFIX, header);
    if (!found) return complain(archive, error, "metadata \"checksum\" is missing");
    tl_checksum_of(&(tl_piece){.data = archive->image, .size = archive->size}, 1, found, expected);
    if (memcmp(found, expected, TL_CHECKSUM_DIGITS) == 0) return TL_OK;
    return complain(archive, error, "is damaged: its checksum is %s; expected %.16s", expected, found);
}

/* Checks the header: texts and positions of arrays. */
static tl_status judge_header(tl_archive *archive, size_t header, tl_error *error) {
    json_t *root = parse_header(archive, header, error);
    if (!root) return TL_ERROR_FORMAT;
    tl_status status = take_metadata(archive, root, error);
    if (status == TL_OK) status = take_arrays(archive, root, header, error);
    json_decref(root);
    return status;
}

static tl_status read_arrays(tl_archive *archive, int file, size_t header, tl_error *error) {
    if (archive->maximum > 0 && archive->size > archive->maximum)
        return tl_fail(error, TL_ERROR_MEMORY, "%.180s: has %.4g MB; the limit is %.4g MB (max_memory, --max-memory)",
                       archive->path, (double)archive->size / 1e6, (double)archive->maximum / 1e6);
    if (read_to(archive, file, PREFIX + header, archive->size, error) != TL_OK) return error->status;
    for (size_t i = 0; i < archive->arrays; i++)
        archive->array[i].data = archive->image + PREFIX + header + archive->array[i].first;
    return archive->plain ? TL_OK : verify_checksum(archive, header, error);
}

/* Reads from `bytes` if the file is -1. */
static tl_status read_archive(tl_archive *archive, int file, bool whole, tl_error *error) {
    size_t header = 0;
    tl_status status = read_header(archive, file, &header, error);
    if (status == TL_OK) status = judge_header(archive, header, error);
    return status == TL_OK && whole ? read_arrays(archive, file, header, error) : status;
}

static tl_status open_archive(tl_archive *archive, bool whole, tl_error *error) {
    if (!tl_given(archive->path, "load: the path", error)) return TL_ERROR_ARGUMENT;
    const int file = tl_system_open(archive->path, O_RDONLY | O_NONBLOCK, 0); /* a pipe must not block */
    if (file < 0) return tl_fail(error, TL_ERROR_FILE, "%.180s: %s", archive->path, strerror(errno));
    tl_status status = measure(archive, file, error);
    if (status == TL_OK) status = read_archive(archive, file, whole, error);
    if (!tl_system_close(file) && status == TL_OK)
        return tl_fail(error, TL_ERROR_FILE, "%.180s: cannot be closed: %s", archive->path, strerror(errno));
    return status;
}

tl_status tl_archive_open(tl_archive *archive, const char *path, size_t maximum, tl_error *error) {
    if (tl_failed(error)) return error->status;
    *archive = (tl_archive){.path = path, .maximum = maximum};
    return open_archive(archive, true, error);
}

tl_status tl_archive_open_bytes(tl_archive *archive, const void *bytes, size_t size, size_t maximum, tl_error *error) {
    if (tl_failed(error)) return error->status;
    *archive = (tl_archive){.path = "the bytes", .bytes = bytes, .size = size, .maximum = maximum};
    return read_archive(archive, -1, true, error);
}

tl_status tl_archive_open_plain(tl_archive *archive, const char *path, size_t maximum, tl_error *error) {
    if (tl_failed(error)) return error->status;
    *archive = (tl_archive){.path = path, .plain = true, .maximum = maximum};
    return open_archive(archive, true, error);
}

tl_status tl_archive_open_header(tl_archive *archive, const char *path, tl_error *error) {
    if (tl_failed(error)) return error->status;
    *archive = (tl_archive){.path = path};
    return open_archive(archive, false, error);
}

/* ---- taking ---- */

double tl_array_element(const tl_array *array, size_t index) {
    float single;
    double twice;
    const unsigned char *at = array->data + index * array->element;
    if (array->element == sizeof twice) return memcpy(&twice, at, sizeof twice), twice;
    return memcpy(&single, at, sizeof single), (double)single;
}

/* Returns false, and sets *index, if a number is too large for tl_real. */
static bool copy(const tl_array *array, tl_real *to, size_t count, size_t *index) {
    if (array->element == sizeof(tl_real)) {
        memcpy(to, array->data, array->bytes);
        return true;
    }
    for (*index = 0; *index < count; ++*index) {
        const double value = tl_array_element(array, *index);
        to[*index] = (tl_real)value;
        if (isfinite(value) && !isfinite(to[*index])) return false;
    }
    return true;
}

static int compare_name(const void *name, const void *array) { return strcmp(name, (*(const tl_array *const *)array)->name); }

static tl_array *find(const tl_archive *archive, const char *name) {
    tl_array **found =
        archive->arrays ? bsearch(name, archive->by_name, archive->arrays, sizeof *archive->by_name, compare_name) : NULL;
    return found ? *found : NULL;
}

/* Returns the array of that name if it has this shape; otherwise fails and returns NULL. */
static tl_array *find_shaped(const tl_archive *archive, const char *name, size_t rank, const size_t *shape, tl_error *error) {
    char expected[TL_SHAPE_TEXT], found[TL_SHAPE_TEXT];
    if (tl_failed(error)) return NULL;
    tl_array *array = find(archive, name);
    if (!array)
        complain(archive, error, "array %s is missing", name);
    else if (array->rank != rank || memcmp(array->shape, shape, rank * sizeof *shape) != 0)
        complain(archive, error, "array %s: expected the shape %s, found %s", name, tl_shape_text(rank, shape, expected),
                 tl_shape_text(array->rank, array->shape, found));
    return tl_failed(error) ? NULL : array;
}

tl_status tl_archive_take_typed(tl_archive *archive, const char *layer, const char *name, const tl_typed *to, tl_error *error) {
    char whole[2 * TL_ARRAY_NAME];
    snprintf(whole, sizeof whole, "%s.%s", layer, name);
    tl_array *array = find_shaped(archive, whole, to->rank, to->shape, error);
    if (!array) return error->status;
    if (strcmp(array->type, to->type) != 0)
        return complain(archive, error, "array %s: expected the type %s, found %s", whole, to->type, array->type);
    memcpy(to->data, array->data, array->bytes);
    array->taken = true;
    return TL_OK;
}

tl_status tl_archive_take(tl_archive *archive, const char *prefix, const char *layer, const char *name, tl_tensor *to,
                          tl_error *error) {
    char whole[2 * TL_ARRAY_NAME];
    size_t index;
    snprintf(whole, sizeof whole, "%s%s.%s", prefix, layer, name);
    tl_array *array = find_shaped(archive, whole, to->rank, to->shape, error);
    if (!array) return error->status;
    if (array->element != archive->element)
        return complain(archive, error, "array %s: expected elements of %zu bytes, found %zu", whole, archive->element,
                        array->element);
    if (to->data && !copy(array, to->data, tl_tensor_count(to), &index))
        return complain(archive, error, "array %s: element %zu is %g, which is too large for single precision", whole, index,
                        tl_array_element(array, index));
    array->taken = true;
    return TL_OK;
}

tl_status tl_archive_end(const tl_archive *archive, tl_error *error) {
    if (tl_failed(error)) return error->status;
    for (size_t i = 0; i < archive->arrays; i++)
        if (!archive->array[i].taken)
            return complain(archive, error, "array %s does not belong to a layer", archive->array[i].name);
    return TL_OK;
}
