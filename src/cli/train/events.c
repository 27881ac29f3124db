/* An event is a message `Event` of TensorFlow (tensorflow/core/util/event.proto) in the wire format of Protocol Buffers; a record
 * of the file is its length, a checksum of the length, the event and a checksum of it (tensorflow/core/lib/io/record_writer.h). */
#include "cli/train/events.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PATH = 4096, EVENT = 1024, HEAD = 12, TAIL = 4 };

struct events {
    char path[PATH];
    int file;
    uint32_t table[256]; /* of the checksum CRC-32C */
};

/* ---- records ---- */

/* CRC-32C (Castagnoli), reflected, with the polynomial 0x1EDC6F41. */
static void fill_table(uint32_t table[256]) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value >> 1 ^ (value & 1 ? 0x82F63B78u : 0);
        table[i] = value;
    }
}

/* The checksum of bytes, rotated and shifted as records have it, so that checksums of checksums are no trouble. */
static uint32_t masked(const events *self, const unsigned char *bytes, size_t count) {
    uint32_t value = 0xFFFFFFFFu;
    for (size_t i = 0; i < count; i++) value = self->table[(value ^ bytes[i]) & 0xFF] ^ value >> 8;
    value = ~value;
    return (value >> 15 | value << 17) + 0xA282EAD8u;
}

/* Writes a number of `count` bytes, the lowest first. */
static void put(unsigned char *to, uint64_t value, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = (unsigned char)(value >> 8 * i);
}

/* Writes the record whose event is at record + HEAD, in one piece: TensorBoard may read at any time. */
static tl_status write_record(events *self, unsigned char *record, size_t size, tl_error *error) {
    put(record, size, 8);
    put(record + 8, masked(self, record, 8), 4);
    put(record + HEAD + size, masked(self, record + HEAD, size), 4);
    const ssize_t all = (ssize_t)(HEAD + size + TAIL), written = write(self->file, record, (size_t)all);
    if (written == all) return TL_OK;
    return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: %s", self->path, written < 0 ? strerror(errno) : "no room");
}

/* ---- messages ---- */

/* A message that is written. There is always room: an event has few fields. */
typedef struct message {
    unsigned char *bytes;
    size_t count;
} message;

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static void put_varint(message *to, uint64_t value) {
    for (; value > 127; value >>= 7) to->bytes[to->count++] = (unsigned char)(value & 127) | 128;
    to->bytes[to->count++] = (unsigned char)value;
}

static void put_field(message *to, unsigned number, unsigned type) { put_varint(to, number << 3 | type); }

static void put_bytes(message *to, unsigned number, const void *bytes, size_t count) {
    put_field(to, number, BYTES);
    put_varint(to, count);
    memcpy(to->bytes + to->count, bytes, count);
    to->count += count;
}

/* Event.wall_time: seconds since 1970. */
static void put_time(message *to) {
    struct timespec now;
    uint64_t bits;
    clock_gettime(CLOCK_REALTIME, &now);
    const double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
    memcpy(&bits, &seconds, sizeof bits);
    put_field(to, 1, FIXED64);
    put(to->bytes + to->count, bits, 8);
    to->count += 8;
}

/* Adds a Summary.Value with a tag and a simple_value to a Summary. */
static void put_scalar(message *summary, const char *tag, double value) {
    unsigned char bytes[100];
    message one = {.bytes = bytes};
    uint32_t bits;
    const float single = (float)value;
    if (!isfinite(single)) return;
    memcpy(&bits, &single, sizeof bits);
    put_bytes(&one, 1, tag, strlen(tag));
    put_field(&one, 2, FIXED32);
    put(one.bytes + one.count, bits, 4);
    put_bytes(summary, 1, one.bytes, one.count + 4);
}

/* ---- files ---- */

tl_status events_check(const char *folder, tl_error *error) {
    struct stat about;
    char parent[PATH];
    if (stat(folder, &about) == 0) {
        if (!S_ISDIR(about.st_mode)) return tl_fail(error, TL_ERROR_FILE, "%.200s: is not a folder", folder);
        if (access(folder, W_OK | X_OK) == 0) return TL_OK;
        return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: %s", folder, strerror(errno));
    }
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/') length--;
    while (length > 0 && folder[length - 1] != '/') length--;
    snprintf(parent, sizeof parent, "%.*s", (int)(length < PATH ? length : PATH - 1), length > 0 ? folder : ".");
    if (length == 0) snprintf(parent, sizeof parent, ".");
    if (access(parent, W_OK | X_OK) == 0) return TL_OK;
    return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be created: %s", folder, strerror(errno));
}

static tl_status make_file(events *self, const char *folder, tl_error *error) {
    char host[64] = "host";
    struct timespec now;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be created: %s", folder, strerror(errno));
    gethostname(host, sizeof host - 1);
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(self->path, sizeof self->path, "%.3900s/events.out.tfevents.%010lld.%s.%ld.%ld", folder, (long long)now.tv_sec, host,
             (long)getpid(), now.tv_nsec);
    self->file = open(self->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (self->file < 0) return tl_fail(error, TL_ERROR_FILE, "%.200s: cannot be written: %s", folder, strerror(errno));
    return TL_OK;
}

events *events_open(const char *folder, tl_error *error) {
    static const char version[] = "brain.Event:2";
    unsigned char record[HEAD + EVENT + TAIL];
    events *self = calloc(1, sizeof *self);
    if (!self) {
        tl_fail(error, TL_ERROR_MEMORY, "%.200s: out of memory", folder);
        return NULL;
    }
    self->file = -1;
    fill_table(self->table);
    message event = {.bytes = record + HEAD};
    put_time(&event);
    put_bytes(&event, 3, version, sizeof version - 1); /* Event.file_version */
    if (make_file(self, folder, error) == TL_OK && write_record(self, record, event.count, error) == TL_OK) return self;
    events_close(self);
    return NULL;
}

tl_status events_epoch(events *self, const tl_progress *at, tl_error *error) {
    unsigned char record[HEAD + EVENT + TAIL], summary_bytes[EVENT / 2];
    message event = {.bytes = record + HEAD}, summary = {.bytes = summary_bytes};
    if (!self || tl_failed(error)) return TL_OK;
    put_scalar(&summary, "loss/training", at->train.loss);
    put_scalar(&summary, "loss/validation", at->validation.loss);
    put_scalar(&summary, "accuracy/training", at->train.accuracy);
    put_scalar(&summary, "accuracy/validation", at->validation.accuracy);
    put_scalar(&summary, "rmse/training", at->train.rmse);
    put_scalar(&summary, "rmse/validation", at->validation.rmse);
    put_scalar(&summary, "learning_rate", at->learning_rate);
    put_time(&event);
    put_field(&event, 2, VARINT); /* Event.step */
    put_varint(&event, (uint64_t)at->epoch);
    put_bytes(&event, 5, summary.bytes, summary.count); /* Event.summary */
    return write_record(self, record, event.count, error);
}

void events_close(events *self) {
    if (!self) return;
    if (self->file >= 0) close(self->file);
    free(self);
}
