/* tapline/exchange.h: how the processes of one training send numbers to each other (advanced).
 *
 * A training with shards (tl_fit_cfg.shards) may run in several processes, called ranks, on one or more machines. The library calls
 * the other ranks through a table of functions, and so does not depend on a message-passing library. libtapline_mpi (tapline/mpi.h)
 * has a table for MPI; a program may also write its own. All ranks call the same functions in the same order.
 */
#ifndef TAPLINE_EXCHANGE_H
#define TAPLINE_EXCHANGE_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TL_HOST_NAME = 64 }; /* bytes of tl_exchange.host */

/* The table. All functions must be set. A function returns when its work on this rank is done; if another rank does not answer, it
 * waits or ends the process. Only one thread at a time calls them. */
typedef struct tl_exchange {
    size_t bytes;            /* sizeof(tl_exchange): tells later versions of the library which fields exist */
    int rank, ranks;         /* the number of this process, from 0; the number of processes */
    char host[TL_HOST_NAME]; /* the name of the machine, for messages */
    void *self;              /* passed to each function */

    /* Replace `values`: (count) on every rank by their sum over the ranks, element by element. The order of additions is a binary
     * tree of neighbours, for four ranks (v0 + v1) + (v2 + v3). All ranks get the same bits. tl_fit calls these functions only if
     * `ranks` is a power of two. */
    void (*sum_f32)(void *self, float *values, size_t count);
    void (*sum_f64)(void *self, double *values, size_t count);

    void (*broadcast)(void *self, void *data, size_t bytes, int from); /* copies `data` of rank `from` to the other ranks */
    void (*barrier)(void *self);                                       /* returns when all ranks have called it */
    void (*abort)(void *self, int code); /* ends all ranks at once, if possible with this exit code; does not return */
} tl_exchange;

/* Makes an error of one rank an error of all ranks. If `error` is set on any rank, it is set on every rank afterwards, to the error
 * of the first of these ranks; unless this is rank 0, the text names the rank and its host. All ranks call it together, after work
 * that may fail on one of them, such as reading a file. `exchange` NULL: there is one process, and nothing changes. Returns the
 * status of the error. */
TL_API tl_status tl_exchange_agree(const tl_exchange *exchange, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
