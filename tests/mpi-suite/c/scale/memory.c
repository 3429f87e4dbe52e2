/* What hundreds of ranks cost together: barrier, allreduce, 8-byte alltoall, and the sum of all ranks' Pss. Before
 * the first contact the job may hold 100 MiB of shared memory, afterwards 2 GiB of everything. */
#include "check.h"
#include "rollup.h"

enum { START_MIB_MAX = 100, END_MIB_MAX = 2048 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    long long mine[2], total[2] = {0, 0};
    mine[0] = rollup_kib("Pss_Shmem");
    OK(MPI_Barrier(MPI_COMM_WORLD));
    int sum = -1;
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    EQ(sum, world_size * (world_size - 1) / 2);
    int64_t *out = get_memory((size_t)world_size * sizeof *out), *in = get_memory((size_t)world_size * sizeof *in);
    for (int to = 0; to < world_size; to++)
        out[to] = world_rank * 1000 + to;
    OK(MPI_Alltoall(out, 1, MPI_INT64_T, in, 1, MPI_INT64_T, MPI_COMM_WORLD));
    for (int from = 0; from < world_size; from++)
        EQ(in[from], from * 1000 + world_rank);
    /* All are here with everything mapped while each looks. */
    OK(MPI_Barrier(MPI_COMM_WORLD));
    mine[1] = rollup_kib("Pss");
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Reduce(mine, total, 2, MPI_LONG_LONG, MPI_SUM, 0, MPI_COMM_WORLD));
    if (world_rank == 0) {
        printf("shared memory before first contact: %lld KiB; Pss of all ranks after an alltoall: %lld KiB\n", total[0],
               total[1]);
        CHECK_MSG(total[0] < START_MIB_MAX * 1024LL, "%lld KiB of shared memory before first contact", total[0]);
        CHECK_MSG(total[1] < END_MIB_MAX * 1024LL, "%lld KiB of Pss", total[1]);
    }
    free(out);
    free(in);
    return finish();
}
