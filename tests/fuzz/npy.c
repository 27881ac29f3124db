/* NumPy arrays: as a table, label first; as one series; as many series of one class. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    const tl_read_cfg cfg = {.normalize = count & 1 ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES,
                             .missing_policy = count & 2 ? TL_MISSING_MEAN : TL_MISSING_REFUSE};
    fuzz_read(fuzz_file("table.npy", bytes, count), &cfg);
    fuzz_file("series/class/one.npy", bytes, count);
    fuzz_read(fuzz_path("series"), &cfg);
    fuzz_file("many/class.npy", bytes, count);
    fuzz_read(fuzz_path("many"), &cfg);
    return 0;
}
