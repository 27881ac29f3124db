/* exchange.h: functions of training that use an exchange. An exchange of NULL means that there is one process. */
#ifndef TL_EXCHANGE_H
#define TL_EXCHANGE_H

#include <tapline/exchange.h>

/* Returns whether this process writes the files: whether it is rank 0. */
bool tl_exchange_leads(const tl_exchange *exchange);

/* The number of ranks, 1 without an exchange; and the rank of this process. */
size_t tl_exchange_ranks(const tl_exchange *exchange);
size_t tl_exchange_rank(const tl_exchange *exchange);

/* Fails if a function of the table is NULL, or if rank and ranks are invalid. */
tl_status tl_exchange_check(const tl_exchange *exchange, tl_error *error);

/* Replace the values by their sums over the ranks (tl_exchange.sum_f32). Without an exchange they do nothing. */
void tl_exchange_sum(const tl_exchange *exchange, tl_real *values, size_t count);
void tl_exchange_sum_numbers(const tl_exchange *exchange, double *values, size_t count);

/* Compares the digits of all ranks: (16) on each rank. If they differ, fails on all ranks with the message "fit: rank 2 on b has
 * WHAT; CURE", which names the first rank that differs from rank 0. */
tl_status tl_exchange_compare(const tl_exchange *exchange, const char *digits, const char *what, const char *cure, tl_error *error);

#endif
