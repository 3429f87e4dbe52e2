/* What a step of a program takes that starts an operation, computes, and waits for it. The computation is the same for
 * all and needs some 200 us; what the step takes beyond (`overlap_alone` shows the computation) was not hidden. */
#include "bench.h"

enum { BYTES = 1 << 20, STEPS = 68000 };
static char *out, *in;

static void nothing(size_t bytes, int n) {
    (void)bytes;
    for (int i = 0; i < n; i++)
        compute(STEPS);
}

static void isend(size_t bytes, int n) {
    MPI_Request request;
    for (int i = 0; i < n && rank < 2; i++) {
        /* They take turns, so that neither runs ahead. */
        if ((rank + i) % 2 == 0)
            MPI_Isend(out, (int)bytes, MPI_CHAR, 1 - rank, 1, MPI_COMM_WORLD, &request);
        else
            MPI_Irecv(in, (int)bytes, MPI_CHAR, 1 - rank, 1, MPI_COMM_WORLD, &request);
        compute(STEPS);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
}

static void iallreduce(size_t bytes, int n) {
    MPI_Request request;
    for (int i = 0; i < n; i++) {
        MPI_Iallreduce(out, in, (int)(bytes / sizeof(double)), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, &request);
        compute(STEPS);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    out = buffer_of(BYTES);
    in = buffer_of(BYTES);
    memset(out, 0, BYTES);
    cell("overlap_alone", 0, "us", seconds_of_slowest(nothing, 0) * 1e6);
    cell("overlap_isend", BYTES, "us", seconds_of_slowest(isend, BYTES) * 1e6);
    cell("overlap_iallreduce", BYTES, "us", seconds_of_slowest(iallreduce, BYTES) * 1e6);
    MPI_Finalize();
    return 0;
}
