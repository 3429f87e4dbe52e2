/* Windows of 64 nonblocking messages in both directions at once: megabytes (10^6) a second, both ways summed. */
#include "bench.h"

enum { LARGEST = 4 << 20, WINDOW = 64 };
static char *out, *in;

static void windows(size_t bytes, int n) {
    MPI_Request request[2 * WINDOW];
    int count = (int)bytes, peer = 1 - rank;
    for (int i = 0; i < n && rank < 2; i++) {
        for (int w = 0; w < WINDOW; w++)
            MPI_Irecv(in, count, MPI_CHAR, peer, 1, MPI_COMM_WORLD, &request[w]);
        for (int w = 0; w < WINDOW; w++)
            MPI_Isend(out, count, MPI_CHAR, peer, 1, MPI_COMM_WORLD, &request[WINDOW + w]);
        MPI_Waitall(2 * WINDOW, request, MPI_STATUSES_IGNORE);
        if (rank == 0)
            MPI_Recv(in, 0, MPI_CHAR, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        else
            MPI_Send(out, 0, MPI_CHAR, 0, 2, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {8, 64, 512, 1024, 4096, 8192, 16384, 65536, 262144, 1048576, LARGEST};
    begin(&argc, &argv);
    out = buffer_of(LARGEST);
    in = buffer_of(LARGEST);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        cell("bibw", sizes[s], "MB/s", 2.0 * (double)sizes[s] * WINDOW / seconds_each(windows, sizes[s]) / 1e6);
    MPI_Finalize();
    return 0;
}
