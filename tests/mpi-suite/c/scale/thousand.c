/* A thousand ranks and more on one machine: they start, meet in a barrier and an allreduce, and end, within 4 GiB of
 * memory; the time limit is the manifest's. */
#include "check.h"
#include "rollup.h"

enum { MIB_MAX = 4096 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Barrier(MPI_COMM_WORLD));
    int64_t mine = world_rank, sum = -1;
    OK(MPI_Allreduce(&mine, &sum, 1, MPI_INT64_T, MPI_SUM, MPI_COMM_WORLD));
    EQ(sum, (int64_t)world_size * (world_size - 1) / 2);
    /* All are here with everything mapped while each looks. */
    long long pss = rollup_kib("Pss"), total = 0;
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Reduce(&pss, &total, 1, MPI_LONG_LONG, MPI_SUM, 0, MPI_COMM_WORLD));
    if (world_rank == 0) {
        printf("Pss of all ranks: %lld KiB\n", total);
        CHECK_MSG(total < MIB_MAX * 1024LL, "%lld KiB of Pss", total);
    }
    return finish();
}
