/* A real number is (q - zero) * scale, q being 8 bits wide. From sums of products of such to 8 bits: sum * multiplier / 2^shift,
 * rounded, about the zero point, from `low` on. */
static signed char requantize(long long sum, int multiplier, int shift, int zero, int low) {
    const long long value = ((sum * multiplier + (1LL << (shift - 1))) >> shift) + zero;
    return (signed char)(value < low ? low : value > 127 ? 127 : value);
}
