/* Meant for more ranks than cores: five collectives and the ping-pong of all pairs, in microseconds each. */
#include "collectives.h"

enum { LARGEST = 65536 };

static void pairs(size_t bytes, int n) {
    int peer = rank ^ 1, count = (int)bytes;
    if (peer >= ranks)
        return;
    for (int i = 0; i < n; i++) {
        if (rank < peer)
            MPI_Send(out, count, MPI_CHAR, peer, 1, MPI_COMM_WORLD);
        MPI_Recv(in, count, MPI_CHAR, peer, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank > peer)
            MPI_Send(out, count, MPI_CHAR, peer, 1, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv) {
    static const struct collective some[] = {
        {"allreduce", allreduce}, {"alltoall", alltoall}, {"bcast", bcast}, {"allgather", allgather}};
    static const size_t sizes[] = {8, LARGEST};
    begin(&argc, &argv);
    buffers(LARGEST);
    cell("pairs", 8, "us", seconds_of_slowest(pairs, 8) / 2 * 1e6);
    measure(&BARRIER, "", in_a_row, 0);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (size_t c = 0; c < sizeof some / sizeof *some; c++)
            measure(&some[c], "", in_a_row, sizes[s]);
    MPI_Finalize();
    return 0;
}
