/* Says what the virtual clock shows on each rank after much to and fro: any difference between two runs shows there. With an
 * argument, ends with that status. */
#include "check.h"

enum { ROUNDS = 50, MANY = 3000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *sums = get_memory(MANY * sizeof *sums), *mine = get_memory(MANY * sizeof *mine);
    for (int round = 0; round < ROUNDS; round++) {
        MPI_Comm half;
        int next = (world_rank + 1) % world_size, got = -1;
        for (int i = 0; i < MANY; i++)
            mine[i] = world_rank + i;
        MPI_Request request;
        MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, round, MPI_COMM_WORLD, &request);
        MPI_Send(&world_rank, 1, MPI_INT, next, round, MPI_COMM_WORLD);
        MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, 0, &half);
        MPI_Allreduce(mine, sums, MANY, MPI_INT, MPI_SUM, half);
        MPI_Comm_free(&half);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    printf("rank %d: %.9f\n", world_rank, MPI_Wtime());
    free(sums);
    free(mine);
    MPI_Finalize();
    return argc > 1 ? atoi(argv[1]) : 0;
}
