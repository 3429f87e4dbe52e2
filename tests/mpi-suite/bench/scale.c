/* Many ranks: a barrier and an allreduce of 8 bytes, and what memory all of them take together. */
#include "memory.h"

int main(int argc, char **argv) {
    double mine = 1, sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Allreduce(&mine, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    if (sum != ranks)
        MPI_Abort(MPI_COMM_WORLD, 1);
    cell("scale_pss", 8, "MB", pss_mb_of_all());
    MPI_Finalize();
    return 0;
}
