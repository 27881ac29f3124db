/* Readers of text. The first byte says which: t .ts, a .arff, s a folder of a class with a series a file, f a file of a class,
 * other .csv. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    const tl_read_cfg cfg = {.normalize = bytes[0] & 1 ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES,
                             .missing_policy = (tl_missing_policy)(count % 4),
                             .unequal = count & 4};
    const uint8_t *text = bytes + 1;
    count--;
    switch (bytes[0] | 0x20) {
    case 't':
        fuzz_read(fuzz_file("data.ts", text, count), &cfg);
        break;
    case 'a':
        fuzz_read(fuzz_file("data.arff", text, count), &cfg);
        break;
    case 's':
        fuzz_file("series/class/one.csv", text, count);
        fuzz_read(fuzz_path("series"), &cfg);
        break;
    case 'f':
        fuzz_file("lines/class.txt", text, count);
        fuzz_read(fuzz_path("lines"), &cfg);
        break;
    default:
        fuzz_read(fuzz_file("data.csv", text, count), &cfg);
    }
    return 0;
}
