/* MPI_Wtime moves forward, in seconds, with the resolution that MPI_Wtick says (MPI 5.0 section 9.6). */
#include "check.h"

#include <time.h>

static double monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    double tick = MPI_Wtick();
    CHECK_MSG(tick > 0 && tick <= 1e-3, "a tick of %g s", tick);
    double start = MPI_Wtime(), reference = monotonic(), last = start;
    while (monotonic() - reference < 0.2) {
        double now = MPI_Wtime();
        CHECK_MSG(now >= last, "time went back by %g s", last - now);
        last = now;
    }
    double by_mpi = MPI_Wtime() - start, by_clock = monotonic() - reference;
    CHECK_MSG(by_mpi > by_clock * 0.9 && by_mpi < by_clock * 1.1 + 0.05, "%g s took %g s", by_clock, by_mpi);
    return finish();
}
