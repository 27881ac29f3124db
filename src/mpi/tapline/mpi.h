/* tapline/mpi.h: training in several processes over MPI; link libtapline_mpi beside either library.
 *
 *     MPI_Init(&argc, &argv);
 *     const tl_exchange exchange = tl_exchange_mpi(MPI_COMM_WORLD);
 *     tl_fit(model, data, &(tl_fit_cfg){.epochs = 100, .shards = 8, .exchange = &exchange}, NULL, &error);
 *     tl_exchange_mpi_free(&exchange);
 *     MPI_Finalize();
 */
#ifndef TAPLINE_MPI_H
#define TAPLINE_MPI_H

#include <tapline/exchange.h>

#include <mpi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An exchange between the processes of the communicator, which is duplicated: messages of the program are not mixed up with its
 * own. All of them call it, between MPI_Init and MPI_Finalize; the thread level MPI_THREAD_FUNNELED is enough. Errors of MPI are
 * handled as the communicator says, which by default ends all processes. Where memory is short, all processes end. */
TL_API tl_exchange tl_exchange_mpi(MPI_Comm comm);

/* Frees what that made. All processes call it, before MPI_Finalize. */
TL_API void tl_exchange_mpi_free(const tl_exchange *exchange);

/* For the command, which loads this library at run time: initialises MPI with as many processes as it was started with, and fills
 * *exchange. Processes yield the processor while they wait where this machine has fewer processors than processes. */
TL_API void tl_exchange_mpi_start(tl_exchange *exchange);

/* Ends what that began. */
TL_API void tl_exchange_mpi_finish(const tl_exchange *exchange);

#ifdef __cplusplus
}
#endif
#endif
