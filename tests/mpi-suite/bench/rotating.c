/* Messages out of and into buffers that are not in a cache: each message the next piece of 64 MiB, at both ends. Half of
 * the round trip in microseconds, and windows of 64 in one direction in megabytes (10^6) a second. */
#include "bench.h"

enum { AREA = 64 << 20, WINDOW = 64 };
static char *out, *in;
static size_t out_at, in_at;

static char *next(char *area, size_t *at, size_t bytes) {
    if (*at + bytes > AREA)
        *at = 0;
    char *here = area + *at;
    *at += bytes;
    return here;
}

static void send(size_t bytes) {
    MPI_Send(next(out, &out_at, bytes), (int)bytes, MPI_CHAR, 1 - rank, 1, MPI_COMM_WORLD);
}

static void receive(size_t bytes) {
    MPI_Recv(next(in, &in_at, bytes), (int)bytes, MPI_CHAR, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void ping_pong(size_t bytes, int n) {
    for (int i = 0; i < n && rank < 2; i++) {
        if (rank == 0)
            send(bytes);
        receive(bytes);
        if (rank == 1)
            send(bytes);
    }
}

static void windows(size_t bytes, int n) {
    MPI_Request request[WINDOW];
    int count = (int)bytes;
    for (int i = 0; i < n; i++)
        if (rank == 0) {
            for (int w = 0; w < WINDOW; w++)
                MPI_Isend(next(out, &out_at, bytes), count, MPI_CHAR, 1, 1, MPI_COMM_WORLD, &request[w]);
            MPI_Waitall(WINDOW, request, MPI_STATUSES_IGNORE);
            MPI_Recv(NULL, 0, MPI_CHAR, 1, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        } else if (rank == 1) {
            for (int w = 0; w < WINDOW; w++)
                MPI_Irecv(next(in, &in_at, bytes), count, MPI_CHAR, 0, 1, MPI_COMM_WORLD, &request[w]);
            MPI_Waitall(WINDOW, request, MPI_STATUSES_IGNORE);
            MPI_Send(NULL, 0, MPI_CHAR, 0, 2, MPI_COMM_WORLD);
        }
}

int main(int argc, char **argv) {
    static const size_t sizes[] = {65536, 262144, 1048576, 4194304};
    begin(&argc, &argv);
    out = buffer_of(AREA);
    in = buffer_of(AREA);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        cell("rotating", sizes[s], "us", seconds_each(ping_pong, sizes[s]) / 2 * 1e6);
        cell("rotating_bw", sizes[s], "MB/s", (double)sizes[s] * WINDOW / seconds_each(windows, sizes[s]) / 1e6);
    }
    MPI_Finalize();
    return 0;
}
