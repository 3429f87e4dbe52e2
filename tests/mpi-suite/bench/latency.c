/* Half of a ping-pong's round trip, in microseconds. */
#include "bench.h"

enum { LARGEST = 4 << 20 };
static char *out, *in;

static void ping_pong(size_t bytes, int n) {
    int count = (int)bytes;
    if (rank == 0)
        for (int i = 0; i < n; i++) {
            MPI_Send(out, count, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
            MPI_Recv(in, count, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
    else if (rank == 1)
        for (int i = 0; i < n; i++) {
            MPI_Recv(in, count, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            MPI_Send(out, count, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
        }
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {8, 64, 512, 1024, 4096, 8192, 16384, 65536, 262144, 1048576, LARGEST};
    begin(&argc, &argv);
    out = buffer_of(LARGEST);
    in = buffer_of(LARGEST);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        cell("latency", sizes[s], "us", seconds_each(ping_pong, sizes[s]) / 2 * 1e6);
    MPI_Finalize();
    return 0;
}
