/* number.h: decimal numbers in texts. */
#ifndef TL_NUMBER_H
#define TL_NUMBER_H

#include <tapline/base.h>

#include <locale.h>

/* Reads all from `begin` to `end` as a decimal number, such as -12.5e3, with this decimal point, correctly rounded as by strtod;
 * may be infinite. False where it is none. `locale`: one with a point. */
bool tl_number_read(const char *begin, const char *end, char point, locale_t locale, double *value);

/* The same of a number that more may follow: returns what is behind it. NULL where there is none, or one of the few that only
 * tl_number_read reads. */
const char *tl_number_scan(const char *begin, const char *end, char point, double *value);

#endif
