/* Readers of text. The first byte selects one: t .ts, a .arff, s a folder of a class with a file for each series, f a file of a
 * class, l .csv with the label last, m with one step in each line, w in windows, d with decimal commas, n with missing tails, r
 * with target values, other .csv. */
#include "fuzz.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    tl_read_cfg cfg = {.normalize = bytes[0] & 1 ? TL_NORMALIZE_NONE : TL_NORMALIZE_SERIES,
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
    case 'l':
        cfg.label = "last";
        cfg.ignore = "first";
        break;
    case 'm':
        cfg.series = "first";
        cfg.time = "2";
        cfg.label = "last";
        break;
    case 'w':
        cfg.value = "1-2";
        cfg.label = "last";
        cfg.window = 2;
        cfg.hop = 1;
        break;
    case 'd':
        cfg.decimal_comma = true;
        break;
    case 'n':
        cfg.missing_policy = TL_MISSING_TAIL;
        break;
    case 'r':
        cfg.target = "1-2";
        cfg.group = "last";
        break;
    default:
        break;
    }
    if (!strchr("tasf", bytes[0] | 0x20)) fuzz_read(fuzz_file("data.csv", text, count), &cfg);
    return 0;
}
