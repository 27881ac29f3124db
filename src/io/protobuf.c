#include "io/protobuf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_VARINT = 10, FIRST_ROOM = 4096 };

/* ---- writing ---- */

/* Adds `count` bytes without setting them; NULL if memory is short. */
static unsigned char *grow(tl_pb_writer *writer, size_t count) {
    writer->short_of_memory = writer->short_of_memory || count > SIZE_MAX / 2 - writer->count;
    if (writer->short_of_memory) return NULL;
    const size_t needed = writer->count + count;
    if (needed > writer->room) {
        const size_t room = needed < FIRST_ROOM ? FIRST_ROOM : needed + needed / 2;
        unsigned char *bytes = realloc(writer->bytes, room);
        if (!bytes) {
            writer->short_of_memory = true;
            return NULL;
        }
        writer->bytes = bytes;
        writer->room = room;
    }
    unsigned char *at = writer->bytes + writer->count;
    writer->count = needed;
    return at;
}

/* Returns the number of bytes. */
static size_t encode(uint64_t value, unsigned char bytes[MAX_VARINT]) {
    size_t count = 0;
    for (; value > 127; value >>= 7) bytes[count++] = (unsigned char)(value | 128);
    bytes[count++] = (unsigned char)value;
    return count;
}

static void put_varint(tl_pb_writer *writer, uint64_t value) {
    unsigned char bytes[MAX_VARINT];
    const size_t count = encode(value, bytes);
    unsigned char *at = grow(writer, count);
    if (at) memcpy(at, bytes, count);
}

static void put_tag(tl_pb_writer *writer, uint32_t field, tl_pb_wire wire) {
    put_varint(writer, (uint64_t)field << 3 | (uint64_t)wire);
}

void tl_pb_integer(tl_pb_writer *writer, uint32_t field, int64_t value) {
    put_tag(writer, field, TL_PB_VARINT);
    put_varint(writer, (uint64_t)value);
}

void tl_pb_float(tl_pb_writer *writer, uint32_t field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_tag(writer, field, TL_PB_FIXED32);
    unsigned char *at = grow(writer, sizeof bits);
    for (size_t i = 0; at && i < sizeof bits; i++) at[i] = (unsigned char)(bits >> 8 * i);
}

void *tl_pb_space(tl_pb_writer *writer, uint32_t field, size_t count) {
    put_tag(writer, field, TL_PB_BYTES);
    put_varint(writer, count);
    return grow(writer, count);
}

void tl_pb_bytes(tl_pb_writer *writer, uint32_t field, const void *bytes, size_t count) {
    void *at = tl_pb_space(writer, field, count);
    if (at && count > 0) memcpy(at, bytes, count);
}

void tl_pb_text(tl_pb_writer *writer, uint32_t field, const char *text) { tl_pb_bytes(writer, field, text, strlen(text)); }

size_t tl_pb_open(tl_pb_writer *writer, uint32_t field) {
    put_tag(writer, field, TL_PB_BYTES);
    return writer->count;
}

/* Inserts the length of the message before it. */
void tl_pb_close(tl_pb_writer *writer, size_t opened) {
    unsigned char length[MAX_VARINT];
    const size_t inside = writer->count - opened, count = encode(inside, length);
    if (!grow(writer, count)) return;
    memmove(writer->bytes + opened + count, writer->bytes + opened, inside);
    memcpy(writer->bytes + opened, length, count);
}

tl_status tl_pb_end(const tl_pb_writer *writer, const char *what, tl_error *error) {
    if (tl_failed(error)) return error->status;
    return writer->short_of_memory ? tl_fail(error, TL_ERROR_MEMORY, "%s: out of memory", what) : TL_OK;
}

void tl_pb_release(tl_pb_writer *writer) {
    free(writer->bytes);
    *writer = (tl_pb_writer){0};
}

/* ---- reading ---- */

tl_pb_reader tl_pb_read(const void *bytes, size_t count) {
    return (tl_pb_reader){.next = bytes, .end = count > 0 ? (const unsigned char *)bytes + count : bytes};
}

static size_t left(const tl_pb_reader *reader) { return (size_t)(reader->end - reader->next); }

static bool damaged(tl_pb_reader *reader) {
    reader->damaged = true;
    reader->next = reader->end;
    return false;
}

bool tl_pb_next_varint(tl_pb_reader *reader, uint64_t *value) {
    *value = 0;
    for (unsigned shift = 0; shift < 7 * MAX_VARINT && left(reader) > 0; shift += 7) {
        const unsigned char byte = *reader->next++;
        *value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) return true;
    }
    return damaged(reader);
}

static bool take_fixed(tl_pb_reader *reader, tl_pb_field *field, size_t count) {
    if (left(reader) < count) return damaged(reader);
    for (size_t i = 0; i < count; i++) field->bits |= (uint64_t)*reader->next++ << 8 * i;
    return true;
}

static bool take_bytes(tl_pb_reader *reader, tl_pb_field *field) {
    uint64_t count;
    if (!tl_pb_next_varint(reader, &count) || count > left(reader)) return damaged(reader);
    field->bytes = reader->next;
    field->count = (size_t)count;
    reader->next += count;
    return true;
}

bool tl_pb_next(tl_pb_reader *reader, tl_pb_field *field) {
    uint64_t tag;
    if (left(reader) == 0 || !tl_pb_next_varint(reader, &tag)) return false;
    *field = (tl_pb_field){.number = (uint32_t)(tag >> 3), .wire = (tl_pb_wire)(tag & 7)};
    if (tag >> 32 != 0 || field->number == 0) return damaged(reader);
    switch (field->wire) {
    case TL_PB_VARINT:
        return tl_pb_next_varint(reader, &field->bits);
    case TL_PB_FIXED64:
        return take_fixed(reader, field, sizeof(uint64_t));
    case TL_PB_FIXED32:
        return take_fixed(reader, field, sizeof(uint32_t));
    case TL_PB_BYTES:
        return take_bytes(reader, field);
    }
    return damaged(reader); /* a group */
}

float tl_pb_as_float(const tl_pb_field *field) {
    const uint32_t bits = (uint32_t)field->bits;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
