/* exchange.h: what training asks of an exchange, which is NULL where there is one process. */
#ifndef TL_EXCHANGE_H
#define TL_EXCHANGE_H

#include <tapline/exchange.h>

/* Whether this process writes the files: it is rank 0, or alone. */
bool tl_exchange_leads(const tl_exchange *exchange);

/* The ranks: 1 without exchange. And which of them this process is. */
size_t tl_exchange_ranks(const tl_exchange *exchange);
size_t tl_exchange_rank(const tl_exchange *exchange);

/* Fails where the table of a program lacks a function, or its ranks are no such numbers. */
tl_status tl_exchange_check(const tl_exchange *exchange, tl_error *error);

/* The binary tree sums over the ranks, in place; nothing happens without exchange. */
void tl_exchange_sum(const tl_exchange *exchange, tl_real *values, size_t count);
void tl_exchange_sum_numbers(const tl_exchange *exchange, double *values, size_t count);

/* Fails on all ranks, naming the first rank that differs, unless each hands over the digits that rank 0 does. `what` and `cure`
 * complete "fit: rank 2 on b has another WHAT than rank 0; CURE". digits: 16. */
tl_status tl_exchange_compare(const tl_exchange *exchange, const char *digits, const char *what, const char *cure, tl_error *error);

#endif
