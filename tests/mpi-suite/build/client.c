/* A program that is content only when it runs as a job of as many ranks as its argument says. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    int rank, size, sum, wanted = argc > 1 ? atoi(argv[1]) : 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Finalize();
    if (size != wanted || sum != size * (size - 1) / 2) {
        fprintf(stderr, "rank %d of %d (wanted %d): the ranks add up to %d\n", rank, size, wanted, sum);
        return 1;
    }
    return 0;
}
