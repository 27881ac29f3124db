/* An 8-bit integer q represents the number (q - zero) * scale. This function converts a sum of products to an 8-bit integer: it
 * multiplies the sum by multiplier / 2^shift, rounds, adds the zero point, and limits the result to low ... 127. */
static signed char requantize(long long sum, int multiplier, int shift, int zero, int low) {
    const long long value = ((sum * multiplier + (1LL << (shift - 1))) >> shift) + zero;
    return (signed char)(value < low ? low : value > 127 ? 127 : value);
}
