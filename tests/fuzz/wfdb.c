/* PhysioNet records: header, samples and annotations, one after the other; the first four bytes are the lengths of the first
 * two. */
#include "fuzz.h"

enum { SIZES = 4 };

static size_t minimum(size_t a, size_t b) { return a < b ? a : b; }

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count < SIZES) return 0;
    const size_t rest = count - SIZES, header = minimum(bytes[0] | (size_t)bytes[1] << 8, rest),
                 samples = minimum(bytes[2] | (size_t)bytes[3] << 8, rest - header);
    const uint8_t *at = bytes + SIZES;
    fuzz_file("r.dat", at + header, samples);
    fuzz_file("r.atr", at + header + samples, rest - header - samples);
    fuzz_read(fuzz_file("r.hea", at, header), &(tl_read_cfg){.normalize = count & 1 ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES,
                                                             .missing_policy = count & 2 ? TL_MISSING_ZERO : TL_MISSING_REFUSE,
                                                             .segment = 4});
    return 0;
}
