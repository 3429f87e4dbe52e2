/* A job that shares its cores with others: barriers with 50 us of computation between them. The argument is how many.
 * Rank 0 says when the loop began and ended (CLOCK_MONOTONIC, which all jobs share). */
#include "bench.h"
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* How many steps take so long when nobody disturbs them: from the quickest of many tries. */
static long steps_of(double seconds) {
    enum { TRIES = 200, STEPS = 2000 };
    double quickest = 1;
    for (int i = 0; i < TRIES; i++) {
        double start = now();
        compute(STEPS);
        double took = now() - start;
        quickest = took < quickest ? took : quickest;
    }
    return (long)(STEPS * seconds / quickest);
}

int main(int argc, char **argv) {
    begin_unpinned(&argc, &argv);
    long rounds = argc > 1 ? atol(argv[1]) : 1, steps = steps_of(50e-6);
    MPI_Barrier(MPI_COMM_WORLD);
    double start = now();
    for (long i = 0; i < rounds; i++) {
        compute(steps);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    double end = now();
    if (rank == 0)
        printf("{\"began\":%.9f,\"ended\":%.9f}\n", start, end);
    MPI_Finalize();
    return 0;
}
