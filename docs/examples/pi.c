/* Pi as the integral of 4 / (1 + x^2) from 0 to 1: each process sums every size-th strip, rank 0 adds the sums.
 *
 *   mpicc pi.c -o pi -lm && hpvmrun -n 4 ./pi [strips]
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);

    int rank, size;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);

    /* Only rank 0 looks at the arguments; the others hear of them. */
    long strips = 0;
    if (rank == 0)
        strips = argc > 1 ? atol(argv[1]) : 100000000;
    MPI_Bcast(&strips, 1, MPI_LONG, 0, MPI_COMM_WORLD);
    if (strips < 1) {
        if (rank == 0)
            fprintf(stderr, "pi: the number of strips must be positive\n");
        MPI_Finalize();
        return 2;
    }

    double start = MPI_Wtime();
    double width = 1.0 / (double) strips, sum = 0.0, pi;
    for (long i = rank; i < strips; i += size) {
        double x = width * ((double) i + 0.5);
        sum += 4.0 / (1.0 + x * x);
    }
    sum *= width;
    MPI_Reduce(&sum, &pi, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);

    if (rank == 0)
        printf("pi is about %.15f, off by %.1e, found by %d processes in %.2f s\n", pi, fabs(pi - acos(-1.0)), size,
               MPI_Wtime() - start);

    MPI_Finalize();
    return 0;
}
