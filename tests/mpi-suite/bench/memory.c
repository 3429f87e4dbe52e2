/* Mean Pss per rank after MPI_Init and an alltoall of 8 bytes. */
#include "memory.h"

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    double *out = calloc((size_t)ranks, sizeof *out), *in = calloc((size_t)ranks, sizeof *in);
    MPI_Alltoall(out, 1, MPI_DOUBLE, in, 1, MPI_DOUBLE, MPI_COMM_WORLD);
    cell("pss", 8, "MB", pss_mb_of_all() / ranks);
    MPI_Finalize();
    return 0;
}
