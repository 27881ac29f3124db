/* system.h: what files ask of the operating system. Calls are made again after EINTR, and until every byte is through; each sets
 * errno where it fails. Model files are read and written through these calls alone, so that tests can make any call fail. */
#ifndef TL_SYSTEM_H
#define TL_SYSTEM_H

#include <tapline/base.h>

#include <sys/types.h>

/* A file's number, below 0 on failure. `flags` and `mode` as for open(2); the file is closed in programs that this one starts. */
int tl_system_open(const char *path, int flags, unsigned mode);

/* Reads `size` bytes. False on failure; errno is 0 where the file ended before. */
bool tl_system_read(int file, void *data, size_t size);

bool tl_system_write(int file, const void *data, size_t size);

/* Has what was written to the file, or to a folder, put on the disk. */
bool tl_system_sync(int file);

bool tl_system_close(int file);
bool tl_system_rename(const char *from, const char *to);

/* Takes `size` bytes of the disk for a file without writing them. False where there is no room (ENOSPC, EDQUOT, EFBIG); where the
 * file system cannot tell, it is taken to have room. */
bool tl_system_reserve(int file, size_t size);

/* What a file of this st_mode is, such as "a folder", for messages. */
const char *tl_system_kind(mode_t mode);

#endif
