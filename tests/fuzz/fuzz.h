/* fuzz.h: shared by the fuzz targets. A target is one file NAME.c with LLVMFuzzerTestOneInput, which gets any bytes and passes them
 * to a parser. libFuzzer generates the bytes; replay.c takes them from corpus/NAME. */
#ifndef FUZZ_H
#define FUZZ_H

#include <tapline/tapline.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

/* Ends the process with a report: the input is a finding. */
#define REQUIRE(condition) ((condition) ? (void)0 : fuzz_found(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_found(const char *condition, const char *file, int line);

/* Makes the bytes the contents of a file of this process's own folder, which ends with the process; NAME may be in a folder that
 * is there from then on. Returns its path, valid until the next call but three. */
const char *fuzz_file(const char *name, const void *bytes, size_t count);

/* The path of a name in that folder, valid likewise. */
const char *fuzz_path(const char *name);

/* A failure must have a message, a success none. */
void fuzz_check_error(bool succeeded, const tl_error *error);

/* Reads a data set. It must have finite numbers, labels within the classes, and the same content when it is read with itself as the
 * reference; or there must be a message. */
void fuzz_read(const char *path, const tl_read_cfg *cfg);

/* Returns a copy of the bytes, which the caller frees, with the right checksum of a model file or checkpoint, if there is one: the
 * damage is then not found by the checksum. */
uint8_t *fuzz_repair(const uint8_t *bytes, size_t count);

#endif
