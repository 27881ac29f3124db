/* protobuf.h: writes and reads messages in the wire format of Protocol Buffers, field by field and without a schema. The reader
 * does not trust its input. Only the common part of proto2 and proto3 is supported; groups are refused.
 */
#ifndef TL_PROTOBUF_H
#define TL_PROTOBUF_H

#include <tapline/base.h>

/* ---- writing ---- */

/* A growing array of bytes; all zero: empty. Only tl_pb_end reports that memory was short. */
typedef struct tl_pb_writer {
    unsigned char *bytes;
    size_t count, room;
    bool short_of_memory;
} tl_pb_writer;

void tl_pb_integer(tl_pb_writer *writer, uint32_t field, int64_t value);
void tl_pb_float(tl_pb_writer *writer, uint32_t field, float value);
void tl_pb_bytes(tl_pb_writer *writer, uint32_t field, const void *bytes, size_t count);
void tl_pb_text(tl_pb_writer *writer, uint32_t field, const char *text);

/* Returns `count` bytes of a field. The caller fills them in before it writes anything else. NULL if memory is short. */
void *tl_pb_space(tl_pb_writer *writer, uint32_t field, size_t count);

/* Starts a nested message. Everything up to tl_pb_close belongs to it; pass the return value to tl_pb_close. */
size_t tl_pb_open(tl_pb_writer *writer, uint32_t field);
void tl_pb_close(tl_pb_writer *writer, size_t opened);

/* Fails if memory was short. Messages start with `what`. */
tl_status tl_pb_end(const tl_pb_writer *writer, const char *what, tl_error *error);
void tl_pb_release(tl_pb_writer *writer);

/* ---- reading ---- */

/* The bytes of a message that were not read yet. */
typedef struct tl_pb_reader {
    const unsigned char *next, *end;
    bool damaged; /* the last bytes were no field; no more fields are read */
} tl_pb_reader;

typedef enum tl_pb_wire { TL_PB_VARINT = 0, TL_PB_FIXED64 = 1, TL_PB_BYTES = 2, TL_PB_FIXED32 = 5 } tl_pb_wire;

/* A field. TL_PB_BYTES has `bytes`, which point into the message; other types have `bits`. */
typedef struct tl_pb_field {
    uint32_t number;
    tl_pb_wire wire;
    uint64_t bits;
    const unsigned char *bytes;
    size_t count;
} tl_pb_field;

tl_pb_reader tl_pb_read(const void *bytes, size_t count);

/* Reads the next field. Returns false after the last one, and if the bytes are damaged. */
bool tl_pb_next(tl_pb_reader *reader, tl_pb_field *field);

/* Reads the next number of a packed field. */
bool tl_pb_next_varint(tl_pb_reader *reader, uint64_t *value);

/* Returns a field of TL_PB_FIXED32 as a float. */
float tl_pb_as_float(const tl_pb_field *field);

#endif
