/* The state of a stream as bytes: a header, the progress of each node, the newest rows of each line, and the state of layers. */
#include "stream/nodes.h"

#include "base/memory.h"
#include "io/checksum.h"

#include <stdio.h>
#include <string.h>

enum { VERSION = 1 };

static const char magic[8] = "tlstream";

typedef struct header {
    char magic[8];
    uint32_t version, real; /* real: bytes of a tl_real */
    uint64_t size;
    char network[TL_CHECKSUM_DIGITS], body[TL_CHECKSUM_DIGITS]; /* checksums: of the nodes; of everything after the header */
} header;

/* ---- saved data, in order ---- */

typedef struct part {
    void *data; /* NULL: zeros */
    size_t size;
} part;

/* Called for the progress of a node, the rows of a line and the state of a layer. */
typedef void (*each_part)(part one, void *context);

/* The stream needs at most the last `kept` rows of a line. */
static void each_line(const tl_stream *stream, size_t index, each_part each, void *context) {
    const tl_stream_line *line = &stream->plan->line[index];
    const tl_stream_rows *rows = &stream->rows[index];
    const int64_t end = (int64_t)stream->place[line->writer].end, wanted = end - (int64_t)line->kept;
    const int64_t first = wanted > rows->first ? wanted : rows->first;
    const size_t row = line->channels * sizeof(tl_real);
    each((part){.size = (size_t)(first - wanted) * row}, context);
    each((part){.data = stream->memory + (rows->origin + first * (int64_t)line->channels), .size = (size_t)(end - first) * row},
         context);
}

static void each_of(const tl_stream *stream, each_part each, void *context) {
    const tl_stream_plan *plan = stream->plan;
    for (size_t i = 0; i < plan->nodes; i++) {
        tl_stream_place *place = &stream->place[i];
        each((part){.data = &place->end, .size = sizeof place->end}, context);
        each((part){.data = &place->windows, .size = sizeof place->windows}, context);
    }
    for (size_t i = 0; i < plan->lines; i++) each_line(stream, i, each, context);
    for (size_t i = 1; i < plan->nodes; i++)
        each((part){.data = stream->memory + plan->node[i].state, .size = plan->node[i].streaming.state * sizeof(tl_real)},
             context);
}

/* ---- the three operations on it ---- */

static void add_size(part one, void *context) { *(size_t *)context += one.size; }

static void write_part(part one, void *context) {
    unsigned char **to = context;
    if (one.size == 0) return;
    if (one.data)
        memcpy(*to, one.data, one.size);
    else
        memset(*to, 0, one.size);
    *to += one.size;
}

static void read_part(part one, void *context) {
    const unsigned char **from = context;
    if (one.size && one.data) memcpy(one.data, *from, one.size);
    *from += one.size;
}

/* ---- the header ---- */

/* Describes the network of a stream, as far as its state depends on it. */
static void describe_network(const tl_stream_plan *plan, char text[TL_CHECKSUM_DIGITS + 1]) {
    char of_node[TL_CHECKSUM_DIGITS + 1] = "";
    for (size_t i = 0; i < plan->nodes; i++) {
        const tl_stream_node *node = &plan->node[i];
        const tl_streaming *streaming = &node->streaming;
        const size_t numbers[] = {
            node->inputs,       node->channels,  streaming->extent, streaming->stride,  streaming->left,
            streaming->outputs, streaming->skip, streaming->state,  streaming->running, plan->line[node->line].kept};
        const char *name = node->layer ? node->layer->ops->name : "input";
        const tl_piece pieces[] = {{.data = of_node, .size = strlen(of_node)},
                                   {.data = name, .size = strlen(name)},
                                   {.data = numbers, .size = sizeof numbers},
                                   {.data = node->input, .size = sizeof node->input}};
        tl_checksum_of(pieces, sizeof pieces / sizeof *pieces, NULL, text);
        memcpy(of_node, text, sizeof of_node);
    }
}

static header header_of(const tl_stream *stream, const unsigned char *body, size_t size) {
    header head = {.version = VERSION, .real = sizeof(tl_real), .size = size};
    const tl_piece piece = {.data = body, .size = size - sizeof head};
    char digits[TL_CHECKSUM_DIGITS + 1];
    memcpy(head.magic, magic, sizeof magic);
    describe_network(stream->plan, digits);
    memcpy(head.network, digits, sizeof head.network);
    tl_checksum_of(&piece, 1, NULL, digits);
    memcpy(head.body, digits, sizeof head.body);
    return head;
}

/* Returns what is wrong with the header; NULL: nothing. */
static const char *wrong_header(const header *head, const header *expected) {
    if (memcmp(head->magic, expected->magic, sizeof magic) != 0) return "they do not begin like a state";
    if (head->version != expected->version) return "they are from another version of tapline";
    if (head->real != expected->real) return "they have the other precision";
    if (memcmp(head->network, expected->network, sizeof head->network) != 0)
        return "they are from a stream of another network, window or hop";
    if (head->size != expected->size || memcmp(head->body, expected->body, sizeof head->body) != 0) return "they are damaged";
    return NULL;
}

/* ---- public functions ---- */

size_t tl_stream_state_size(const tl_stream *stream) {
    size_t size = sizeof(header);
    if (!stream) return 0;
    each_of(stream, add_size, &size);
    return size;
}

/* Reports NULL, and an earlier error. */
static bool usable(const tl_stream *stream, const char *caller, const void *bytes, tl_error *error) {
    if (tl_failed(error)) return false;
    if (!stream)
        tl_fail(error, TL_ERROR_STATE, "%s: the stream is NULL", caller);
    else if (!bytes)
        tl_fail(error, TL_ERROR_ARGUMENT, "%s: the bytes are NULL", caller);
    else if (!stream->memory)
        tl_fail(error, stream->error.status, "%s: %s", caller, stream->error.text);
    else
        return true;
    return false;
}

tl_status tl_stream_save(const tl_stream *stream, void *bytes, size_t size, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    if (!usable(stream, "stream save", bytes, error)) return error->status;
    const size_t needed = tl_stream_state_size(stream);
    if (tl_failed(&stream->error)) return tl_fail(error, stream->error.status, "%s", stream->error.text);
    if (stream->ended)
        return tl_fail(error, TL_ERROR_STATE,
                       "stream save: the series has ended and cannot be continued; save before tl_stream_end");
    if (size < needed)
        return tl_fail(error, TL_ERROR_ARGUMENT,
                       "stream save: there is room for %zu bytes, but the state has %zu (tl_stream_state_size)", size, needed);
    unsigned char *body = (unsigned char *)bytes + sizeof(header), *to = body;
    each_of(stream, write_part, &to);
    const header head = header_of(stream, body, needed);
    memcpy(bytes, &head, sizeof head);
    return TL_OK;
}

tl_status tl_stream_restore(tl_stream *stream, const void *bytes, size_t size, tl_error *error) {
    tl_error own = {0};
    header head;
    if (!error) error = &own;
    if (!usable(stream, "stream restore", bytes, error)) return error->status;
    const size_t needed = tl_stream_state_size(stream);
    if (size != needed)
        return tl_fail(error, TL_ERROR_FORMAT, "stream restore: there are %zu bytes, but the state of this stream has %zu", size,
                       needed);
    const unsigned char *body = (const unsigned char *)bytes + sizeof head, *from = body;
    memcpy(&head, bytes, sizeof head);
    const header expected = header_of(stream, body, size);
    const char *wrong = wrong_header(&head, &expected);
    if (wrong) return tl_fail(error, TL_ERROR_FORMAT, "stream restore: the bytes are not a state of this stream: %s", wrong);
    tl_stream_reset(stream);
    const tl_stream_plan *plan = stream->plan;
    for (size_t i = 0; i < plan->nodes; i++) { /* first, since the positions of lines depend on them */
        read_part((part){.data = &stream->place[i].end, .size = sizeof(uint64_t)}, &from);
        read_part((part){.data = &stream->place[i].windows, .size = sizeof(uint64_t)}, &from);
    }
    for (size_t i = 0; i < plan->lines; i++)
        tl_stream_line_begin(stream, i, (int64_t)stream->place[plan->line[i].writer].end - (int64_t)plan->line[i].kept);
    from = body;
    each_of(stream, read_part, &from);
    return TL_OK;
}
