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

/* Returns an exchange between the processes of a communicator. The communicator is duplicated, so that the messages of the program
 * are separate. All its processes call this function, between MPI_Init and MPI_Finalize; the thread level MPI_THREAD_FUNNELED is
 * enough. The error handler of the communicator handles errors of MPI; by default it ends all processes. All processes also end if
 * memory is short. Free the exchange with tl_exchange_mpi_free. One thread at a time may use it. */
TL_API tl_exchange tl_exchange_mpi(MPI_Comm comm);

/* Frees an exchange of tl_exchange_mpi; NULL is allowed. All processes call it, before MPI_Finalize. */
TL_API void tl_exchange_mpi_free(const tl_exchange *exchange);

/* For the command, which loads this library at run time: initialises MPI and sets *exchange [OUT] to an exchange between all
 * processes. If this machine has fewer processors than processes, waiting processes yield their processor. */
TL_API void tl_exchange_mpi_start(tl_exchange *exchange);

/* Frees this exchange and finalises MPI. */
TL_API void tl_exchange_mpi_finish(const tl_exchange *exchange);

#ifdef __cplusplus
}
#endif
#endif
