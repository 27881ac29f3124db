/* tapline/exchange.h: how the processes of one training send numbers to each other (advanced).
 *
 * A training with shards (tl_fit_cfg.shards) may run in several processes, called ranks, on one machine or more. The library
 * reaches the other ranks through a table of functions and depends on no message-passing library: libtapline_mpi (tapline/mpi.h)
 * fills the table for MPI, and a program may fill one itself. All ranks call the same functions in the same order.
 */
#ifndef TAPLINE_EXCHANGE_H
#define TAPLINE_EXCHANGE_H

#include <tapline/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TL_HOST_NAME = 64 }; /* bytes of tl_exchange.host */

/* The table. Every function is needed. A function returns when its work on this rank is done; where another rank does not answer,
 * it ends the process or waits. One thread at a time calls them. */
typedef struct tl_exchange {
    size_t bytes;            /* sizeof(tl_exchange), by which later libraries know which fields there are */
    int rank, ranks;         /* this process, from 0; how many there are */
    char host[TL_HOST_NAME]; /* the name of the machine, for messages */
    void *self;              /* handed to each function */

    /* Replaces `values`: (count) on every rank by their sum over the ranks, element by element, added as a binary tree of
     * neighbours: of four ranks (v0 + v1) + (v2 + v3). All ranks get the same bits. `ranks` is a power of two where tl_fit calls
     * these. */
    void (*sum_f32)(void *self, float *values, size_t count);
    void (*sum_f64)(void *self, double *values, size_t count);

    void (*broadcast)(void *self, void *data, size_t bytes, int from); /* `data` of the rank `from` is copied to the other ranks */
    void (*barrier)(void *self);                                       /* returns when all ranks have called it */
    void (*abort)(void *self, int code); /* ends all ranks at once, with this exit code where that is possible; does not return */
} tl_exchange;

/* Makes an error of one rank the error of all: where `error` is set on any rank, it is set on every rank afterwards, to the text of
 * the first of those ranks, which names the rank and its host unless rank 0 is among them. All ranks call it together, after work
 * that may fail on one rank alone, such as reading a file. `exchange` NULL: there is one process, and nothing happens. */
TL_API tl_status tl_exchange_agree(const tl_exchange *exchange, tl_error *error);

#ifdef __cplusplus
}
#endif
#endif
