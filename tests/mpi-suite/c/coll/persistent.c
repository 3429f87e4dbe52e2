/* Persistent collectives, started again and again with new data, several active at once (MPI 5.0 section 6.13). */
#include "check.h"

enum { N = 900, ROUNDS = 8 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    size_t all = (size_t)N * (size_t)world_size;
    int *sum = get_memory(N * sizeof(int)), *in = get_memory(N * sizeof(int)), *cast = get_memory(N * sizeof(int));
    int *gathered = get_memory(all * sizeof(int)), root = world_size - 1;
    MPI_Request request[4];
    MPI_Comm comm = MPI_COMM_WORLD;
    OK(MPI_Allreduce_init(in, sum, N, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL, &request[0]));
    OK(MPI_Bcast_init(cast, N, MPI_INT, root, comm, MPI_INFO_NULL, &request[1]));
    OK(MPI_Barrier_init(comm, MPI_INFO_NULL, &request[2]));
    OK(MPI_Allgather_init(in, N, MPI_INT, gathered, N, MPI_INT, comm, MPI_INFO_NULL, &request[3]));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < N; i++) {
            in[i] = world_rank + i + round;
            cast[i] = world_rank == root ? i * round : -1;
        }
        if (round % 2)
            OK(MPI_Startall(4, request));
        else
            for (int k = 0; k < 4; k++)
                OK(MPI_Start(&request[k]));
        if (round % 3 == 0)
            for (int k = 0; k < 4; k++)
                OK(MPI_Wait(&request[(k + world_rank) % 4], MPI_STATUS_IGNORE));
        else
            OK(MPI_Waitall(4, request, MPI_STATUSES_IGNORE));
        for (int i = 0; i < N; i++) {
            EQ(sum[i], world_size * (i + round) + world_size * (world_size - 1) / 2);
            EQ(cast[i], i * round);
        }
        for (size_t i = 0; i < all; i++)
            EQ(gathered[i], (int)(i / N + i % N) + round);
    }
    for (int k = 0; k < 4; k++) {
        CHECK(request[k] != MPI_REQUEST_NULL);
        OK(MPI_Request_free(&request[k]));
    }
    free(sum);
    free(in);
    free(cast);
    free(gathered);
    return finish();
}
