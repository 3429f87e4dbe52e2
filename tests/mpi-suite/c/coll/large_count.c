/* The collectives' forms with MPI_Count arguments, blocking and nonblocking (MPI 5.0 section 19.2). */
#include "check.h"

enum { N = 3000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    size_t ranks = (size_t)world_size;
    int *in = get_memory(N * ranks * sizeof(int)), *out = get_memory(N * ranks * sizeof(int));
    MPI_Count n = N, *counts = get_memory(ranks * sizeof *counts);
    MPI_Aint *at = get_memory(ranks * sizeof *at);
    MPI_Comm comm = MPI_COMM_WORLD;
    MPI_Request request;
    int ranksum = world_size * (world_size - 1) / 2;
    for (size_t i = 0; i < N * ranks; i++)
        in[i] = world_rank + (int)i;
    for (size_t r = 0; r < ranks; r++) {
        counts[r] = N;
        at[r] = (MPI_Aint)(N * (ranks - 1 - r));
    }
    OK(MPI_Allreduce_c(in, out, n, MPI_INT, MPI_SUM, comm));
    EQ(out[N - 1], ranksum + world_size * (N - 1));
    OK(MPI_Reduce_c(in, out, n, MPI_INT, MPI_MAX, 0, comm));
    if (world_rank == 0)
        EQ(out[3], world_size - 1 + 3);
    OK(MPI_Scan_c(in, out, n, MPI_INT, MPI_MAX, comm));
    EQ(out[3], world_rank + 3);
    OK(MPI_Allgather_c(in, n, MPI_INT, out, n, MPI_INT, comm));
    EQ(out[N * (ranks - 1) + 5], world_size - 1 + 5);
    OK(MPI_Gather_c(in, n, MPI_INT, out, n, MPI_INT, 0, comm));
    OK(MPI_Scatter_c(in, n, MPI_INT, out, n, MPI_INT, 0, comm));
    EQ(out[0], world_rank * N);
    OK(MPI_Alltoall_c(in, n, MPI_INT, out, n, MPI_INT, comm));
    EQ(out[0], world_rank * N);
    EQ(out[N * (ranks - 1)], world_size - 1 + world_rank * N);
    OK(MPI_Allgatherv_c(in, n, MPI_INT, out, counts, at, MPI_INT, comm));
    EQ(out[0], world_size - 1);
    EQ(out[N * (ranks - 1)], 0);
    OK(MPI_Alltoallv_c(in, counts, at, MPI_INT, out, counts, at, MPI_INT, comm));
    EQ(out[N * (ranks - 1)], N * (world_size - 1 - world_rank));
    OK(MPI_Reduce_scatter_block_c(in, out, n, MPI_INT, MPI_SUM, comm));
    EQ(out[0], ranksum + world_size * world_rank * N);
    OK(MPI_Bcast_c(in, n, MPI_INT, world_size - 1, comm));
    EQ(in[1], world_size);
    OK(MPI_Ibcast_c(in, n, MPI_INT, 0, comm, &request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    OK(MPI_Iallreduce_c(in, out, n, MPI_INT, MPI_MIN, comm, &request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EQ(out[1], world_size);
    free(in);
    free(out);
    free(counts);
    free(at);
    return finish();
}
