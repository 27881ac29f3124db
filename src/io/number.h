/* number.h: decimal numbers in texts. */
#ifndef TL_NUMBER_H
#define TL_NUMBER_H

#include <tapline/base.h>

#include <locale.h>

/* Reads all characters from `begin` to `end` as a decimal number, such as -12.5e3, with this decimal point. Correctly rounded as by
 * strtod; may be infinite. Returns false if it is not a number. `locale`: one with a decimal point. */
bool tl_number_read(const char *begin, const char *end, char point, locale_t locale, double *value);

/* The same for a number that other characters may follow: returns the end of it. Returns NULL if there is none, or if only
 * tl_number_read can read it. */
const char *tl_number_scan(const char *begin, const char *end, char point, double *value);

#endif
