/* system.h: calls to the operating system about files. A call is repeated after EINTR, and until all bytes are transferred; each
 * sets errno on failure. Model files are read and written only by these functions, so that tests can make every call fail. */
#ifndef TL_SYSTEM_H
#define TL_SYSTEM_H

#include <tapline/base.h>

#include <sys/types.h>

/* Returns a file descriptor; below 0 on failure. `flags` and `mode` are those of open(2); programs that this one starts do not
 * inherit the file. */
int tl_system_open(const char *path, int flags, unsigned mode);

/* Reads `size` bytes. Returns false on failure; errno is 0 if the file ended before. */
bool tl_system_read(int file, void *data, size_t size);

/* The same from a byte of the file on; does not move the position of the file, which other processes may share. */
bool tl_system_read_at(int file, void *data, size_t size, uint64_t offset);

bool tl_system_write(int file, const void *data, size_t size);

/* The same to a byte of the file on; does not move the position of the file. */
bool tl_system_write_at(int file, const void *data, size_t size, uint64_t offset);

/* Returns another descriptor of an open file; below 0 on failure. */
int tl_system_duplicate(int file);

/* What changes when a file is written to: its size and the time of the last change. Returns false on failure. */
typedef struct tl_file_state {
    uint64_t size;
    int64_t seconds, nanoseconds;
} tl_file_state;
bool tl_system_state(int file, tl_file_state *state);

/* Flushes a file, or a folder, to the disk. */
bool tl_system_sync(int file);

bool tl_system_close(int file);
bool tl_system_rename(const char *from, const char *to);

/* Reserves `size` bytes on the disk for a file, without writing them. Returns false if there is no room (ENOSPC, EDQUOT, EFBIG). A
 * file system that cannot tell is assumed to have room. */
bool tl_system_reserve(int file, size_t size);

/* Returns the kind of a file with this st_mode, such as "a folder", for messages. */
const char *tl_system_kind(mode_t mode);

#endif
