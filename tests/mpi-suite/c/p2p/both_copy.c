/* Long messages, whose bodies both processes may copy at once: of all lengths about the limits, in windows, while the sender waits, waits elsewhere,
 * or computes, and cut short. Nothing is written beside the buffer, nor after the receive. */
#include "check.h"

enum { WINDOW = 12, EDGE = 64 };

static const int lengths[] = {8191,   8192,   16384,   65535,   65536,   65537,  98304,  131072, 163841,
                              262144, 524287, 524289, 1048576, 1100001, 3000003, 5242881};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

static unsigned char *out[WINDOW], *in[WINDOW];
static volatile unsigned sink;

static unsigned char pattern(int round, int from, size_t i) {
    return (unsigned char)(round * 37 + from * 101 + (int)(i * 2654435761u >> 13));
}

static void fill(unsigned char *to, int len, int round) {
    for (int i = 0; i < len; i++)
        to[i] = pattern(round, world_rank, (size_t)i);
}

static void compute(void) {
    for (unsigned i = 0; i < 300000; i++)
        sink += i;
}

/* What lies in the buffer, behind an edge that nobody touches and before another one. */
static void verify(const unsigned char *buffer, int len, int round, int from, const char *what) {
    for (int i = 0; i < len; i++)
        if (buffer[EDGE + i] != pattern(round, from, (size_t)i)) {
            CHECK_FAILED("%s, %d bytes: wrong from byte %d on", what, len, i);
            break;
        }
    for (int i = 0; i < EDGE; i++)
        if (buffer[i] != 0xEE || buffer[EDGE + len + i] != 0xEE) {
            CHECK_FAILED("%s, %d bytes: something was written beside the buffer", what, len);
            break;
        }
}

enum Sender { WAITS, WAITS_ELSEWHERE, COMPUTES, WAYS };

/* Each rank sends a window to the next one that `sends`, and receives from the one before. */
static void window(int len, int round, enum Sender sender, int both_ways) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    int sends = both_ways || world_rank % 2 == 0, receives = both_ways || left % 2 == 0;
    MPI_Request request[2 * WINDOW];
    int n = 0;
    for (int w = 0; w < WINDOW && receives; w++) {
        memset(in[w], 0xEE, (size_t)len + 2 * EDGE);
        OK(MPI_Irecv(in[w] + EDGE, len, MPI_BYTE, left, w, MPI_COMM_WORLD, &request[n++]));
    }
    OK(MPI_Barrier(MPI_COMM_WORLD));
    for (int w = 0; w < WINDOW && sends; w++) {
        fill(out[w], len, round + w);
        OK(MPI_Isend(out[w], len, MPI_BYTE, right, w, MPI_COMM_WORLD, &request[n++]));
    }
    if (sender == COMPUTES && sends)
        compute();
    if (sender == WAITS_ELSEWHERE)
        OK(MPI_Sendrecv(NULL, 0, MPI_BYTE, left, 99, NULL, 0, MPI_BYTE, right, 99, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_Waitall(n, request, MPI_STATUSES_IGNORE));
    for (int w = 0; w < WINDOW && receives; w++) {
        verify(in[w], len, round + w, left, both_ways ? "both ways" : "one way");
        memset(in[w], 0xEE, (size_t)len + 2 * EDGE);
    }
    OK(MPI_Barrier(MPI_COMM_WORLD));
    for (int w = 0; w < WINDOW && receives; w++)
        for (int i = 0; i < len + 2 * EDGE; i++)
            if (in[w][i] != 0xEE) {
                CHECK_FAILED("%d bytes: byte %d was written after the receive", len, i);
                break;
            }
}

/* The receive has room for a part. */
static void cut_short(int len, int room, int round) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    if (world_rank % 2 == 0) {
        fill(out[0], len, round);
        OK(MPI_Send(out[0], len, MPI_BYTE, right, 5, MPI_COMM_WORLD));
    }
    if (left % 2 == 0) {
        MPI_Status status;
        int class = MPI_SUCCESS;
        memset(in[0], 0xEE, (size_t)room + 2 * EDGE);
        int code = MPI_Recv(in[0] + EDGE, room, MPI_BYTE, left, 5, MPI_COMM_WORLD, &status);
        OK(MPI_Error_class(code, &class));
        EQ(class, MPI_ERR_TRUNCATE);
        verify(in[0], room, round, left, "cut short");
    }
    OK(MPI_Barrier(MPI_COMM_WORLD));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    int longest = lengths[LENGTHS - 1];
    for (int w = 0; w < WINDOW; w++) {
        out[w] = get_memory((size_t)longest);
        in[w] = get_memory((size_t)longest + 2 * EDGE);
    }
    int round = 1;
    for (int l = 0; l < LENGTHS; l++)
        for (int sender = WAITS; sender < WAYS; sender++)
            for (int both_ways = 0; both_ways < 2; both_ways++)
                window(lengths[l], round += WINDOW, (enum Sender)sender, both_ways);
    cut_short(1048576, 300001, round++);
    cut_short(200000, 65536, round++);
    cut_short(200000, 100, round++);
    for (int w = 0; w < WINDOW; w++) {
        free(out[w]);
        free(in[w]);
    }
    return finish();
}
