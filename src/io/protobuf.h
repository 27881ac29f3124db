/* protobuf.h: messages in the wire format of Protocol Buffers, without a schema: written field by field, and read so by code that
 * trusts nothing. Only what proto2 and proto3 share is here; groups are refused.
 */
#ifndef TL_PROTOBUF_H
#define TL_PROTOBUF_H

#include <tapline/base.h>

/* ---- writing ---- */

/* Bytes that grow; zeroed: none. Memory that was short is told by tl_pb_end alone. */
typedef struct tl_pb_writer {
    unsigned char *bytes;
    size_t count, room;
    bool short_of_memory;
} tl_pb_writer;

void tl_pb_integer(tl_pb_writer *writer, uint32_t field, int64_t value);
void tl_pb_float(tl_pb_writer *writer, uint32_t field, float value);
void tl_pb_bytes(tl_pb_writer *writer, uint32_t field, const void *bytes, size_t count);
void tl_pb_text(tl_pb_writer *writer, uint32_t field, const char *text);

/* `count` bytes of a field that the caller fills in before anything else is written; NULL where memory is short. */
void *tl_pb_space(tl_pb_writer *writer, uint32_t field, size_t count);

/* Begins a message within this one; what is written until tl_pb_close, which gets what this returns, belongs to it. */
size_t tl_pb_open(tl_pb_writer *writer, uint32_t field);
void tl_pb_close(tl_pb_writer *writer, size_t opened);

/* Fails where memory was short. Messages begin with `what`. */
tl_status tl_pb_end(const tl_pb_writer *writer, const char *what, tl_error *error);
void tl_pb_release(tl_pb_writer *writer);

/* ---- reading ---- */

/* Bytes of a message that are still to come. */
typedef struct tl_pb_reader {
    const unsigned char *next, *end;
    bool damaged; /* what came last is no field; there are no more */
} tl_pb_reader;

typedef enum tl_pb_wire { TL_PB_VARINT = 0, TL_PB_FIXED64 = 1, TL_PB_BYTES = 2, TL_PB_FIXED32 = 5 } tl_pb_wire;

/* A field. Of TL_PB_BYTES there are bytes, which are those of the message; of the others `bits`. */
typedef struct tl_pb_field {
    uint32_t number;
    tl_pb_wire wire;
    uint64_t bits;
    const unsigned char *bytes;
    size_t count;
} tl_pb_field;

tl_pb_reader tl_pb_read(const void *bytes, size_t count);

/* The next field; false behind the last one, and where the bytes are damaged. */
bool tl_pb_next(tl_pb_reader *reader, tl_pb_field *field);

/* The next number of a packed field. */
bool tl_pb_next_varint(tl_pb_reader *reader, uint64_t *value);

/* A field of TL_PB_FIXED32 as a float. */
float tl_pb_as_float(const tl_pb_field *field);

#endif
