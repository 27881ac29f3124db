/* Reads ONNX files (read.h). */
#include "onnx/read.h"

#include "base/memory.h"
#include "io/checksum.h"
#include "io/file.h"
#include "onnx/onnx.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TL_ONNX_TYPE_TENSOR = 4, MAX_OPERATIONS = 1 << 16 };

static bool damaged(const tl_onnx_file *file, const char *what, tl_error *error) {
    tl_fail(error, TL_ERROR_FORMAT, "%.180s: is not an ONNX file, or is damaged: %s", file->path, what);
    return false;
}

tl_status tl_onnx_out_of_memory(const tl_onnx_file *file, tl_error *error) {
    if (!file->pool.full) return tl_fail(error, TL_ERROR_MEMORY, "%.180s: out of memory", file->path);
    return tl_fail(error, TL_ERROR_MEMORY, "%.180s: its constants take more than %.4g MB (max_memory, --max-memory)", file->path,
                   (double)file->pool.maximum / 1e6);
}

static bool out_of_memory(const tl_onnx_file *file, tl_error *error) {
    tl_onnx_out_of_memory(file, error);
    return false;
}

/* Adds an entry to a list; NULL if memory is short. */
static void *more(void *list, size_t *count, size_t size) {
    const size_t room = *count < 16 ? 16 : *count;
    void *grown = *count == 0 || (*count >= 16 && (*count & (*count - 1)) == 0) ? realloc(list, 2 * room * size) : list;
    if (grown) memset((char *)grown + *count * size, 0, size);
    return grown;
}

#define ADD(file, list, count) (grow_list((void **)&(file)->list, &(file)->count, sizeof *(file)->list))

static bool grow_list(void **list, size_t *count, size_t size) {
    void *grown = more(*list, count, size);
    if (!grown) return false;
    *list = grown;
    ++*count;
    return true;
}

/* ---- texts ---- */

/* Texts fit: each one needs at least two bytes more in the file than it has characters. */
static const char *text_of(tl_onnx_file *file, const tl_pb_field *field) {
    char *text = file->strings + file->strings_count;
    if (field->wire != TL_PB_BYTES || memchr(field->bytes, 0, field->count)) return "";
    memcpy(text, field->bytes, field->count);
    text[field->count] = '\0';
    file->strings_count += field->count + 1;
    return text;
}

static bool add_name(tl_onnx_file *file, tl_onnx_span *span, const tl_pb_field *field, tl_error *error) {
    if (span->count == 0) span->first = file->names;
    if (!ADD(file, name, names)) return out_of_memory(file, error);
    file->name[span->first + span->count++] = text_of(file, field);
    return true;
}

/* ---- tensors ---- */

/* The fields of a tensor, before they are checked. */
typedef struct draft {
    const char *name;
    int64_t dims[TL_ONNX_RANK];
    size_t rank, element; /* bytes; 0: a type that cannot be read */
    uint64_t type;
    bool external;
    tl_pb_field raw; /* bytes NULL: none */
    size_t typed;    /* numbers in fields of a type */
} draft;

static size_t size_of(uint64_t type) {
    switch (type) {
    case TL_ONNX_DOUBLE:
    case TL_ONNX_INT64:
        return 8;
    case TL_ONNX_FLOAT:
    case TL_ONNX_INT32:
        return 4;
    case TL_ONNX_FLOAT16:
        return 2;
    case TL_ONNX_BOOL:
        return 1;
    default:
        return 0;
    }
}

static double half_of(uint64_t bits) {
    const int exponent = (int)(bits >> 10 & 31);
    const double fraction = (double)(bits & 1023), sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31) return fraction > 0 ? NAN : sign * INFINITY;
    return sign * (exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25));
}

/* A number of this type from its bytes, little-endian. */
static double number_of(uint64_t type, uint64_t bits) {
    float narrow;
    double wide;
    const uint32_t low = (uint32_t)bits;
    switch (type) {
    case TL_ONNX_FLOAT:
        return memcpy(&narrow, &low, sizeof narrow), (double)narrow;
    case TL_ONNX_DOUBLE:
        return memcpy(&wide, &bits, sizeof wide), wide;
    case TL_ONNX_FLOAT16:
        return half_of(bits);
    case TL_ONNX_INT32:
        return (double)(int32_t)low;
    case TL_ONNX_INT64:
        return (double)(int64_t)bits;
    default:
        return bits != 0;
    }
}

static uint64_t bits_at(const unsigned char *bytes, size_t size) {
    uint64_t bits = 0;
    for (size_t i = 0; i < size; i++) bits |= (uint64_t)bytes[i] << 8 * i;
    return bits;
}

/* The fields that may contain numbers of a type. */
static bool is_typed(uint32_t field) {
    return field == TL_ONNX_FLOAT_DATA || field == TL_ONNX_INT32_DATA || field == TL_ONNX_INT64_DATA ||
           field == TL_ONNX_DOUBLE_DATA;
}

/* Returns the number of elements in such a field; if `to` is not NULL, copies them. */
static size_t take_typed(const tl_pb_field *field, uint64_t type, double *to) {
    const size_t size = field->number == TL_ONNX_FLOAT_DATA ? 4 : field->number == TL_ONNX_DOUBLE_DATA ? 8 : 0;
    size_t count = 0;
    uint64_t bits;
    if (field->wire != TL_PB_BYTES) {
        if (to) *to = number_of(type, field->bits);
        return 1;
    }
    if (size > 0) {
        for (; (count + 1) * size <= field->count; count++)
            if (to) to[count] = number_of(type, bits_at(field->bytes + count * size, size));
        return count;
    }
    tl_pb_reader list = tl_pb_read(field->bytes, field->count);
    for (; list.next < list.end && tl_pb_next_varint(&list, &bits); count++)
        if (to) to[count] = number_of(type, bits);
    return count;
}

static bool add_dims(draft *self, const tl_pb_field *field) {
    uint64_t size;
    tl_pb_reader list = tl_pb_read(field->bytes, field->wire == TL_PB_BYTES ? field->count : 0);
    const bool one = field->wire == TL_PB_VARINT;
    for (size_t i = 0; one ? i == 0 : list.next < list.end; i++) {
        size = field->bits;
        if ((!one && !tl_pb_next_varint(&list, &size)) || self->rank == TL_ONNX_RANK || size > INT32_MAX) return false;
        self->dims[self->rank++] = (int64_t)size;
    }
    return true;
}

/* The first pass over a tensor. */
static bool draft_tensor(tl_onnx_file *file, const tl_pb_field *message, draft *self) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->count);
    tl_pb_field field;
    *self = (draft){.name = ""};
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_DIMS && !add_dims(self, &field)) return false;
        if (field.number == TL_ONNX_DATA_TYPE) self->type = field.bits;
        if (field.number == TL_ONNX_TENSOR_NAME) self->name = text_of(file, &field);
        if (field.number == TL_ONNX_RAW_DATA && field.wire == TL_PB_BYTES) self->raw = field;
        if (field.number == TL_ONNX_EXTERNAL_DATA || (field.number == TL_ONNX_DATA_LOCATION && field.bits == 1))
            self->external = true;
        if (is_typed(field.number)) self->typed += take_typed(&field, self->type, NULL);
    }
    self->element = size_of(self->type);
    return !reader.damaged;
}

static void fill_tensor(const tl_pb_field *message, const draft *self, tl_onnx_constant *constant) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->count);
    tl_pb_field field;
    size_t done = 0;
    for (size_t i = 0; self->raw.bytes && i < constant->count; i++)
        constant->value[i] = number_of(self->type, bits_at(self->raw.bytes + i * self->element, self->element));
    while (!self->raw.bytes && tl_pb_next(&reader, &field))
        if (is_typed(field.number)) done += take_typed(&field, self->type, constant->value + done);
}

static bool take_tensor(tl_onnx_file *file, const tl_pb_field *message, const char **name, tl_onnx_constant *constant,
                        tl_error *error) {
    draft self;
    size_t shape[TL_ONNX_RANK] = {0}, count = 1;
    if (message->wire != TL_PB_BYTES || !draft_tensor(file, message, &self))
        return damaged(file, "a tensor has invalid fields", error);
    *name = self.name;
    if (self.external) {
        tl_fail(error, TL_ERROR_FORMAT,
                "%.180s: tensor %.60s: its elements are in another file, which is not read; save the model as one file", file->path,
                self.name);
        return false;
    }
    for (size_t axis = 0; axis < self.rank; axis++) {
        shape[axis] = (size_t)self.dims[axis];
        if (!tl_multiply_sizes(count, shape[axis], &count)) return damaged(file, "a tensor's shape overflows", error);
    }
    if (self.element == 0) return true; /* a type that cannot be read */
    if (self.raw.bytes ? self.raw.count / self.element != count || self.raw.count % self.element != 0 : self.typed != count)
        return damaged(file, "the number of elements of a tensor does not match its shape", error);
    if (!tl_onnx_constant_new(&file->pool, self.rank, shape, SIZE_MAX, constant)) return out_of_memory(file, error);
    constant->whole = self.type == TL_ONNX_INT64 || self.type == TL_ONNX_INT32;
    fill_tensor(message, &self, constant);
    return true;
}

/* ---- nodes ---- */

static bool add_wholes(tl_onnx_file *file, tl_onnx_span *span, const tl_pb_field *field, tl_error *error) {
    uint64_t bits;
    tl_pb_reader list = tl_pb_read(field->bytes, field->wire == TL_PB_BYTES ? field->count : 0);
    const bool one = field->wire == TL_PB_VARINT;
    for (size_t i = 0; one ? i == 0 : list.next < list.end; i++) {
        bits = field->bits;
        if (!one && !tl_pb_next_varint(&list, &bits)) return damaged(file, "a list of integers is invalid", error);
        if (span->count == 0) span->first = file->wholes;
        if (!ADD(file, whole, wholes)) return out_of_memory(file, error);
        file->whole[span->first + span->count++] = (int64_t)bits;
    }
    return true;
}

static bool take_setting(tl_onnx_file *file, const tl_pb_field *message, tl_onnx_span *span, tl_error *error) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->count);
    tl_pb_field field;
    tl_onnx_setting setting = {.name = "", .text = ""};
    const char *unused;
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_ATTRIBUTE_NAME) setting.name = text_of(file, &field);
        if (field.number == TL_ONNX_ATTRIBUTE_TYPE) setting.type = (int)(field.bits & 255);
        if (field.number == TL_ONNX_I) setting.whole = (int64_t)field.bits;
        if (field.number == TL_ONNX_F) setting.number = tl_pb_as_float(&field);
        if (field.number == TL_ONNX_S) setting.text = text_of(file, &field);
        if (field.number == TL_ONNX_INTS && !add_wholes(file, &setting.wholes, &field, error)) return false;
        if (field.number == TL_ONNX_T && !take_tensor(file, &field, &unused, &setting.tensor, error)) return false;
    }
    if (reader.damaged) return damaged(file, "an attribute has invalid fields", error);
    if (span->count == 0) span->first = file->settings;
    if (!ADD(file, setting, settings)) return out_of_memory(file, error);
    file->setting[span->first + span->count++] = setting;
    return true;
}

static bool take_operation(tl_onnx_file *file, const tl_pb_field *message, tl_error *error) {
    tl_onnx_operation operation = {.type = "", .name = "", .domain = ""};
    tl_pb_field field;
    bool sound = message->wire == TL_PB_BYTES;
    tl_pb_reader reader = tl_pb_read(message->bytes, sound ? message->count : 0);
    /* Lists are stored contiguously, so each one is read separately. */
    for (int list = 0; sound && list < 3; list++) {
        reader = tl_pb_read(message->bytes, message->count);
        while (sound && tl_pb_next(&reader, &field)) {
            if (list == 0 && field.number == TL_ONNX_NODE_INPUT) sound = add_name(file, &operation.inputs, &field, error);
            if (list == 1 && field.number == TL_ONNX_NODE_OUTPUT) sound = add_name(file, &operation.outputs, &field, error);
            if (list < 2) continue;
            if (field.number == TL_ONNX_NODE_OPERATOR) operation.type = text_of(file, &field);
            if (field.number == TL_ONNX_NODE_NAME) operation.name = text_of(file, &field);
            if (field.number == TL_ONNX_NODE_DOMAIN) operation.domain = text_of(file, &field);
            if (field.number == TL_ONNX_ATTRIBUTE && field.wire == TL_PB_BYTES)
                sound = take_setting(file, &field, &operation.settings, error);
        }
    }
    if (tl_failed(error)) return false;
    if (reader.damaged || !sound) return damaged(file, "a node has invalid fields", error);
    if (file->operations == MAX_OPERATIONS) return damaged(file, "it has more than 65536 nodes", error);
    if (!ADD(file, operation, operations)) return out_of_memory(file, error);
    file->operation[file->operations - 1] = operation;
    return true;
}

/* ---- inputs and outputs ---- */

static void take_dim(const tl_pb_field *message, tl_onnx_port *port) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field;
    int64_t size = -1;
    while (tl_pb_next(&reader, &field))
        if (field.number == TL_ONNX_DIM_VALUE && field.bits > 0 && field.bits <= INT32_MAX) size = (int64_t)field.bits;
    if (port->rank < TL_ONNX_RANK) port->dims[port->rank] = size;
    port->rank++;
}

/* Finds the dimensions of the value. */
// NOLINTNEXTLINE(misc-no-recursion): three deep
static void take_type(const tl_pb_field *message, int depth, tl_onnx_port *port) {
    static const uint32_t path[] = {TL_ONNX_TENSOR_TYPE, TL_ONNX_SHAPE, TL_ONNX_DIM};
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field;
    while (tl_pb_next(&reader, &field)) {
        if (field.number != path[depth]) continue;
        if (depth == 1) port->has_shape = true;
        if (depth == 2)
            take_dim(&field, port);
        else
            take_type(&field, depth + 1, port);
    }
}

static bool take_port(tl_onnx_file *file, const tl_pb_field *message, tl_onnx_port *port, tl_error *error) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field;
    *port = (tl_onnx_port){.name = ""};
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_INFO_NAME) port->name = text_of(file, &field);
        if (field.number == TL_ONNX_INFO_TYPE) take_type(&field, 0, port);
    }
    return !reader.damaged || damaged(file, "an input or output has invalid fields", error);
}

/* ---- the whole file ---- */

static bool take_initializer(tl_onnx_file *file, const tl_pb_field *message, tl_error *error) {
    tl_onnx_initializer initializer = {.name = ""};
    if (!take_tensor(file, message, &initializer.name, &initializer.constant, error)) return false;
    if (!ADD(file, initializer, initializers)) return out_of_memory(file, error);
    file->initializer[file->initializers - 1] = initializer;
    return true;
}

static bool take_graph(tl_onnx_file *file, const tl_pb_field *message, tl_error *error) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field;
    bool sound = true;
    while (sound && tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_NODE) sound = take_operation(file, &field, error);
        if (field.number == TL_ONNX_INITIALIZER) sound = take_initializer(file, &field, error);
        if (field.number == TL_ONNX_GRAPH_INPUT)
            sound = ADD(file, input, inputs) ? take_port(file, &field, &file->input[file->inputs - 1], error)
                                             : out_of_memory(file, error);
        if (field.number == TL_ONNX_GRAPH_OUTPUT)
            sound = ADD(file, output, outputs) ? take_port(file, &field, &file->output[file->outputs - 1], error)
                                               : out_of_memory(file, error);
    }
    return sound && (!reader.damaged || damaged(file, "the graph has invalid fields", error));
}

/* The version of the standard operators. */
static void take_opset(tl_onnx_file *file, const tl_pb_field *message) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field;
    const char *domain = "";
    int64_t version = 0;
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_OPSET_DOMAIN) domain = text_of(file, &field);
        if (field.number == TL_ONNX_OPSET_VERSION) version = (int64_t)field.bits;
    }
    if (!*domain || strcmp(domain, "ai.onnx") == 0) file->opset = version;
}

static bool take_text(tl_onnx_file *file, const tl_pb_field *message, tl_error *error) {
    tl_pb_reader reader = tl_pb_read(message->bytes, message->wire == TL_PB_BYTES ? message->count : 0);
    tl_pb_field field, value = {0};
    tl_onnx_text text = {.key = "", .value = ""};
    while (tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_KEY) text.key = text_of(file, &field);
        if (field.number == TL_ONNX_VALUE) text.value = text_of(file, &field), value = field;
    }
    if (strcmp(text.key, "checksum") == 0 && strlen(text.value) == TL_CHECKSUM_DIGITS) file->digits = (const char *)value.bytes;
    if (!ADD(file, text, texts)) return out_of_memory(file, error);
    file->text[file->texts - 1] = text;
    return true;
}

static bool take_model(tl_onnx_file *file, tl_error *error) {
    tl_pb_reader reader = tl_pb_read(file->image, file->size);
    tl_pb_field field;
    bool sound = true, graph = false;
    while (sound && tl_pb_next(&reader, &field)) {
        if (field.number == TL_ONNX_GRAPH) sound = take_graph(file, &field, error), graph = true;
        if (field.number == TL_ONNX_OPSET) take_opset(file, &field);
        if (field.number == TL_ONNX_METADATA) sound = take_text(file, &field, error);
    }
    if (!sound) return false;
    return (graph && !reader.damaged) || damaged(file, graph ? "it has invalid fields" : "it has no graph", error);
}

/* Compares the checksum of a file of tapline with its bytes. */
static bool verify_checksum(const tl_onnx_file *file, tl_error *error) {
    char expected[TL_CHECKSUM_DIGITS + 1];
    if (!file->digits) return true;
    tl_checksum_of(&(tl_piece){file->image, file->size}, 1, file->digits, expected);
    if (memcmp(file->digits, expected, TL_CHECKSUM_DIGITS) == 0) return true;
    tl_fail(
        error, TL_ERROR_FORMAT,
        "%.180s: is damaged, or another program changed it: its checksum is %s; it says %.16s. If the change is intended, remove "
        "\"checksum\" from metadata_props",
        file->path, expected, file->digits);
    return false;
}

static bool read_image(tl_onnx_file *file, tl_error *error) {
    FILE *stream = tl_file_open(file->path, &file->size, error);
    if (!stream) return false;
    if (file->size > file->maximum)
        tl_fail(error, TL_ERROR_MEMORY, "%.180s: has %.4g MB; the limit is %.4g MB (max_memory, --max-memory)", file->path,
                (double)file->size / 1e6, (double)file->maximum / 1e6);
    else if (!(file->image = malloc(file->size + 1)) || !(file->strings = malloc(file->size + 1)))
        out_of_memory(file, error);
    else if (fread(file->image, 1, file->size, stream) != file->size)
        tl_fail(error, TL_ERROR_FILE, "%.180s: cannot be read", file->path);
    fclose(stream);
    return !tl_failed(error);
}

tl_status tl_onnx_file_read(tl_onnx_file *file, const char *path, size_t maximum, tl_error *error) {
    *file = (tl_onnx_file){.path = path, .maximum = maximum, .pool.maximum = maximum};
    if (tl_failed(error)) return error->status;
    if (read_image(file, error) && take_model(file, error) && verify_checksum(file, error) && file->opset < 7)
        tl_fail(error, TL_ERROR_FORMAT, "%.180s: its operator set is %lld; the minimum is 7", file->path, (long long)file->opset);
    return tl_failed(error) ? error->status : TL_OK;
}

void tl_onnx_file_release(tl_onnx_file *file) {
    tl_onnx_pool_release(&file->pool);
    free(file->image);
    free(file->strings);
    free(file->name);
    free(file->whole);
    free(file->setting);
    free(file->operation);
    free(file->initializer);
    free(file->input);
    free(file->output);
    free(file->text);
    *file = (tl_onnx_file){0};
}

const tl_onnx_setting *tl_onnx_find(const tl_onnx_file *file, const tl_onnx_operation *operation, const char *name) {
    for (size_t i = 0; i < operation->settings.count; i++) {
        const tl_onnx_setting *setting = &file->setting[operation->settings.first + i];
        if (strcmp(setting->name, name) == 0) return setting;
    }
    return NULL;
}

const char *tl_onnx_metadata(const tl_onnx_file *file, const char *key) {
    for (size_t i = 0; i < file->texts; i++)
        if (strcmp(file->text[i].key, key) == 0) return file->text[i].value;
    return NULL;
}
