/* Small messages one after the other, as fast as they go: messages per second. A window of 256 between acknowledgements,
 * by blocking sends and receives of a posted window. */
#include "bench.h"

enum { WINDOW = 256 };
static char *out, *in;

static void windows(size_t bytes, int n) {
    MPI_Request request[WINDOW];
    int count = (int)bytes;
    for (int i = 0; i < n; i++)
        if (rank == 0) {
            for (int w = 0; w < WINDOW; w++)
                MPI_Send(out, count, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
            MPI_Recv(in, 0, MPI_CHAR, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else if (rank == 1) {
            for (int w = 0; w < WINDOW; w++)
                MPI_Irecv(in, count, MPI_CHAR, 0, 1, MPI_COMM_WORLD, &request[w]);
            MPI_Waitall(WINDOW, request, MPI_STATUSES_IGNORE);
            MPI_Send(out, 0, MPI_CHAR, 0, 2, MPI_COMM_WORLD);
        }
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {0, 8, 32, 128};
    begin(&argc, &argv);
    out = buffer_of(4096);
    in = buffer_of(4096);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        cell("rate", sizes[s], "messages/s", WINDOW / seconds_each(windows, sizes[s]));
    MPI_Finalize();
    return 0;
}
