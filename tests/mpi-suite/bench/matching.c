/* Half of the round trip of 8 bytes while rank 1 has other entries in front: receives that wait for other tags
 * (`posted`), or messages of other tags that nobody has received (`unexpected`). The entries and the receive name their
 * source, or take any (`_any`). A test's number is the depth at which the message or its receive is found. */
#include "bench.h"

enum { DEEP = 10000, TAG = DEEP };
static double value[2], others[DEEP];
static MPI_Request request[DEEP];
static int source;

static void ping_pong(size_t bytes, int n) {
    (void)bytes;
    for (int i = 0; i < n; i++) {
        if (rank == 0)
            MPI_Send(value, 1, MPI_DOUBLE, 1, TAG, MPI_COMM_WORLD);
        if (rank == 0)
            MPI_Recv(value, 1, MPI_DOUBLE, 1, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1)
            MPI_Recv(value, 1, MPI_DOUBLE, source, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1)
            MPI_Send(value, 1, MPI_DOUBLE, 0, TAG, MPI_COMM_WORLD);
    }
}

static void report(const char *queue, int depth, int any) {
    char test[64];
    double seconds = seconds_each(ping_pong, 8);
    snprintf(test, sizeof test, "%s%s_%d", queue, any ? "_any" : "", depth);
    cell(test, 8, "us", seconds / 2 * 1e6);
}

/* The messages of the tags below `depth - 1`. No MPI has to buffer so many: they are not waited for yet. */
static void send_others(int depth) {
    for (int tag = 0; rank == 0 && tag + 1 < depth; tag++)
        MPI_Isend(&others[tag], 1, MPI_DOUBLE, 1, tag, MPI_COMM_WORLD, &request[tag]);
}

static void receive_others(int depth) {
    for (int tag = 0; rank == 1 && tag + 1 < depth; tag++)
        MPI_Irecv(&others[tag], 1, MPI_DOUBLE, source, tag, MPI_COMM_WORLD, &request[tag]);
}

static void finish_others(int depth) {
    MPI_Waitall(depth - 1, request, MPI_STATUSES_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
}

static void posted(int depth, int any) {
    receive_others(depth);
    report("posted", depth, any);
    send_others(depth);
    finish_others(depth);
}

static void unexpected(int depth, int any) {
    send_others(depth);
    report("unexpected", depth, any);
    receive_others(depth);
    finish_others(depth);
}

int main(int argc, char **argv) {
    static const int depths[] = {1, DEEP};
    begin(&argc, &argv);
    for (int d = 0; d < 2 && ranks == 2; d++)
        for (int any = 0; any < 2; any++) {
            source = any ? MPI_ANY_SOURCE : 0;
            posted(depths[d], any);
            unexpected(depths[d], any);
        }
    MPI_Finalize();
    return 0;
}
