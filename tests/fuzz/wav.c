/* Sound, in a folder with one file. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    fuzz_file("sounds/class/one.wav", bytes, count);
    fuzz_read(fuzz_path("sounds"), &(tl_read_cfg){.normalize = count & 1 ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES,
                                                  .missing_policy = count & 2 ? TL_MISSING_INTERPOLATE : TL_MISSING_REFUSE});
    return 0;
}
