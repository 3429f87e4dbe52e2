/* A profiling library in the standard's way (MPI 5.0 section 15.2): it wraps MPI_Send and MPI_Recv over their PMPI_
 * names and says at MPI_Finalize how often they were called. Preloaded into a program that knows nothing of it. */
#include <mpi.h>
#include <stdio.h>

static int sends, receives;
static long long bytes;

int MPI_Send(const void *buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    int size = 0;
    PMPI_Type_size(type, &size);
    bytes += (long long)size * count;
    sends++;
    return PMPI_Send(buffer, count, type, to, tag, comm);
}

int MPI_Recv(void *buffer, int count, MPI_Datatype type, int from, int tag, MPI_Comm comm, MPI_Status *status) {
    receives++;
    return PMPI_Recv(buffer, count, type, from, tag, comm, status);
}

int MPI_Finalize(void) {
    int rank, total[2], mine[2] = {sends, receives};
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    PMPI_Reduce(mine, total, 2, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("profiled: %d sends, %d receives, %lld bytes from rank 0\n", total[0], total[1], bytes);
    return PMPI_Finalize();
}
