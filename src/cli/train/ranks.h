/* ranks.h: the processes of one command that mpirun starts, called ranks. */
#ifndef CLI_RANKS_H
#define CLI_RANKS_H

#include "cli/options.h"

#include <tapline/exchange.h>

/* Joins the other processes if mpirun has started several: loads libtapline_mpi; makes all ranks use the lowest instruction set
 * among them; divides the processors of a machine among its ranks, unless --threads is given; and silences all ranks except the
 * first. Returns false, after a message, if the command cannot run in several processes or the library is missing. */
bool ranks_join(const command *self);

/* Call it at the end if ranks_join was called. */
void ranks_leave(void);

/* Returns the exchange with the other ranks; NULL if there are none. */
const tl_exchange *ranks_exchange(void);

/* Return the number of ranks, and whether this rank is the one that writes files. */
size_t ranks_count(void);
bool ranks_lead(void);

/* Returns whether `here` is true on any rank. All ranks must call it. */
bool ranks_any(bool here);

/* Returns the number of this rank, from 0. */
size_t ranks_number(void);

/* From ranks_part(true) to ranks_part(false) each rank works alone: the functions above then behave as if there were one process,
 * and every rank may write files and print messages. ranks_parted returns whether this is the case. */
void ranks_part(bool alone);
bool ranks_parted(void);

/* Copies the data of rank `from` to all other ranks. All ranks must call it. */
void ranks_share(void *data, size_t bytes, size_t from);

#endif
