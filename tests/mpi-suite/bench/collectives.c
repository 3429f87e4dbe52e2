/* Collectives in a row, in microseconds each, as the slowest rank sees them. `bytes` is the block of one rank. */
#include "bench.h"

enum { LARGEST = 1 << 20 };
static char *out, *in;

static void barrier(size_t bytes, int n) {
    (void)bytes;
    for (int i = 0; i < n; i++)
        MPI_Barrier(MPI_COMM_WORLD);
}

/* One root would run ahead of its receivers, and only its own speed would be measured: the ranks take turns. */
static void bcast(size_t bytes, int n) {
    for (int i = 0; i < n; i++)
        MPI_Bcast(out, (int)bytes, MPI_CHAR, i % ranks, MPI_COMM_WORLD);
}

static void allreduce(size_t bytes, int n) {
    for (int i = 0; i < n; i++)
        MPI_Allreduce(out, in, (int)(bytes / sizeof(double)), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void alltoall(size_t bytes, int n) {
    for (int i = 0; i < n; i++)
        MPI_Alltoall(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, MPI_COMM_WORLD);
}

static void allgather(size_t bytes, int n) {
    for (int i = 0; i < n; i++)
        MPI_Allgather(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, MPI_COMM_WORLD);
}

static void report(const char *test, void (*batch)(size_t, int), size_t bytes) {
    double mine = seconds_each(batch, bytes), slowest = 0;
    MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    cell(test, bytes, "us", slowest * 1e6);
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {8, 4096, 65536, LARGEST};
    begin(&argc, &argv);
    out = buffer_of((size_t)LARGEST * (size_t)ranks);
    in = buffer_of((size_t)LARGEST * (size_t)ranks);
    memset(out, 0, (size_t)LARGEST * (size_t)ranks);
    report("barrier", barrier, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        report("bcast", bcast, sizes[s]);
        report("allreduce", allreduce, sizes[s]);
        report("alltoall", alltoall, sizes[s]);
        report("allgather", allgather, sizes[s]);
    }
    MPI_Finalize();
    return 0;
}
