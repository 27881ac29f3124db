#include "train/exchange.h"

#include "base/argument.h"
#include "io/checksum.h"

#include <stdio.h>
#include <string.h>

bool tl_exchange_leads(const tl_exchange *exchange) { return !exchange || exchange->rank == 0; }
size_t tl_exchange_ranks(const tl_exchange *exchange) { return exchange ? (size_t)exchange->ranks : 1; }
size_t tl_exchange_rank(const tl_exchange *exchange) { return exchange ? (size_t)exchange->rank : 0; }

tl_status tl_exchange_check(const tl_exchange *exchange, tl_error *error) {
    if (tl_failed(error) || !exchange) return error->status;
    if (exchange->bytes < sizeof *exchange)
        return tl_fail(error, TL_ERROR_ARGUMENT, "exchange: bytes is %zu; set it to sizeof(tl_exchange), %zu", exchange->bytes,
                       sizeof *exchange);
    if (!exchange->sum_f32 || !exchange->sum_f64 || !exchange->broadcast || !exchange->barrier || !exchange->abort)
        return tl_fail(error, TL_ERROR_ARGUMENT, "exchange: a function of the table is NULL; all are needed");
    if (exchange->ranks < 1)
        return tl_fail(error, TL_ERROR_ARGUMENT, "exchange: ranks is %d; it must be at least 1", exchange->ranks);
    if (exchange->rank < 0 || exchange->rank >= exchange->ranks)
        return tl_fail(error, TL_ERROR_ARGUMENT, "exchange: rank %d is outside 0 … %d", exchange->rank, exchange->ranks - 1);
    return TL_OK;
}

void tl_exchange_sum_numbers(const tl_exchange *exchange, double *values, size_t count) {
    if (exchange && count > 0) exchange->sum_f64(exchange->self, values, count);
}

void tl_exchange_sum(const tl_exchange *exchange, tl_real *values, size_t count) {
    void *any = values; /* float or double, depending on the library */
    if (sizeof(tl_real) == sizeof(double))
        tl_exchange_sum_numbers(exchange, any, count);
    else if (exchange && count > 0)
        exchange->sum_f32(exchange->self, any, count);
}

/* What a rank sends to the others. */
typedef struct report {
    tl_error error;
    char host[TL_HOST_NAME];
} report;

tl_status tl_exchange_agree(const tl_exchange *exchange, tl_error *error) {
    tl_error own = {0};
    if (!error) error = &own;
    report first = {0};
    int failed = -1;
    for (int rank = 0; exchange && rank < exchange->ranks && failed < 0; rank++) {
        report of = {.error = *error};
        memcpy(of.host, exchange->host, sizeof of.host);
        exchange->broadcast(exchange->self, &of, sizeof of, rank);
        if (!tl_failed(&of.error)) continue;
        failed = rank;
        first = of;
    }
    if (failed < 0) return error->status;
    if (failed == 0)
        *error = first.error;
    else {
        *error = (tl_error){0};
        tl_fail(error, first.error.status, "rank %d on %.60s: %.400s", failed, first.host, first.error.text);
    }
    return error->status;
}

tl_status tl_exchange_compare(const tl_exchange *exchange, const char *digits, const char *what, const char *cure,
                              tl_error *error) {
    struct {
        char digits[TL_CHECKSUM_DIGITS], host[TL_HOST_NAME];
    } of;
    char expected[TL_CHECKSUM_DIGITS];
    for (int rank = 0; exchange && rank < exchange->ranks; rank++) {
        memcpy(of.digits, digits, sizeof of.digits);
        memcpy(of.host, exchange->host, sizeof of.host);
        exchange->broadcast(exchange->self, &of, sizeof of, rank);
        if (rank == 0) memcpy(expected, of.digits, sizeof expected);
        if (memcmp(expected, of.digits, sizeof expected) != 0)
            tl_fail(error, TL_ERROR_STATE, "fit: rank %d on %.60s has %s; %s", rank, of.host, what, cure);
    }
    return error->status;
}
