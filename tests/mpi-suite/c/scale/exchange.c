/* Many ranks on few cores: alltoall of 1 KiB blocks and allreduce of 1 MiB, right at every rank. */
#include "check.h"

enum { BLOCK = 1024, REALS = 131072 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    size_t bytes = (size_t)BLOCK * (size_t)world_size;
    unsigned char *out = get_memory(bytes), *in = get_memory(bytes);
    for (int to = 0; to < world_size; to++)
        fill_pattern(out + (size_t)to * BLOCK, BLOCK, (unsigned)(world_rank * 1000 + to));
    OK(MPI_Alltoall(out, BLOCK, MPI_BYTE, in, BLOCK, MPI_BYTE, MPI_COMM_WORLD));
    for (int from = 0; from < world_size; from++)
        CHECK_PATTERN(in + (size_t)from * BLOCK, BLOCK, from * 1000 + world_rank);
    free(out);
    free(in);
    double *reals = get_memory(REALS * sizeof *reals), *sums = get_memory(REALS * sizeof *sums);
    for (int i = 0; i < REALS; i++)
        reals[i] = world_rank + i;
    OK(MPI_Allreduce(reals, sums, REALS, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
    for (int i = 0; i < REALS; i++)
        if (sums[i] != (double)world_size * i + world_size * (world_size - 1) / 2.0) {
            CHECK_FAILED("sum wrong at %d: %f", i, sums[i]);
            break;
        }
    free(reals);
    free(sums);
    return finish();
}
