/* ranks.h: the processes of one command that mpirun starts, called ranks. */
#ifndef CLI_RANKS_H
#define CLI_RANKS_H

#include "cli/options.h"

#include <tapline/exchange.h>

/* Joins the other processes where mpirun has started several: loads libtapline_mpi, has all ranks use the instruction set of the
 * weakest, divides the processors of a machine among its ranks, unless --threads says how many to take, and silences the ranks
 * after the first. False, after a message, where the command runs in one process only, or the library is not there. */
bool ranks_join(const command *self);

/* To be called at the end where ranks_join was. */
void ranks_leave(void);

/* NULL: this process is alone. */
const tl_exchange *ranks_exchange(void);

/* How many there are; whether this is the one that writes files. */
size_t ranks_count(void);
bool ranks_lead(void);

/* Whether it is so on any rank. All of them call it. */
bool ranks_any(bool here);

/* Which one this is, from 0. */
size_t ranks_number(void);

/* From ranks_part(true) to ranks_part(false) each rank works alone: the functions above say that there is one process, and every
 * rank may write files and print messages. Whether that is so. */
void ranks_part(bool alone);
bool ranks_parted(void);

/* Copies what rank `from` has to all others. All of them call it. */
void ranks_share(void *data, size_t bytes, size_t from);

#endif
