/* Which partitioned send meets which receive: in the order in which they were made, by rank, tag and communicator, and never
 * an ordinary message (MPI 5.0 section 4.2). */
#include "check.h"

enum { COUNT = 5000, EACH = 4 };

static int out[EACH][COUNT], in[EACH][COUNT];

static void fill(int round) {
    for (int i = 0; i < EACH; i++)
        for (int j = 0; j < COUNT; j++)
            out[i][j] = round * 100000 + i * 10000 + j, in[i][j] = -1;
}

static void equal(int at, int from, int round) {
    for (int j = 0; j < COUNT; j++)
        if (in[at][j] != round * 100000 + from * 10000 + j) {
            CHECK_FAILED("round %d: receive %d has %d at %d", round, at, in[at][j], j);
            return;
        }
}

/* The first half of the ranks sends to the second half. Requests are started in another order than made. */
static void same_tag(int receiver_first) {
    int half = world_size / 2, sends = world_rank < half, receives = !sends && world_rank < 2 * half;
    MPI_Request request[EACH];
    if (sends == receiver_first)
        OK(MPI_Barrier(MPI_COMM_WORLD));
    for (int i = 0; i < EACH; i++)
        if (sends)
            OK(MPI_Psend_init(out[i], 5, COUNT / 5, MPI_INT, world_rank + half, 4, MPI_COMM_WORLD, MPI_INFO_NULL, &request[i]));
        else if (receives)
            OK(MPI_Precv_init(in[i], 4, COUNT / 4, MPI_INT, world_rank - half, 4, MPI_COMM_WORLD, MPI_INFO_NULL, &request[i]));
    if (sends != receiver_first)
        OK(MPI_Barrier(MPI_COMM_WORLD));
    for (int round = 0; round < 3; round++) {
        fill(round);
        if (sends) {
            for (int i = EACH - 1; i >= 0; i--) {
                OK(MPI_Start(&request[i]));
                OK(MPI_Pready_range(0, 4, request[i]));
            }
            /* An ordinary message with the same tag is another matter. */
            OK(MPI_Send(&round, 1, MPI_INT, world_rank + half, 4, MPI_COMM_WORLD));
            OK(MPI_Waitall(EACH, request, MPI_STATUSES_IGNORE));
        } else if (receives) {
            int got = -1, index = -1;
            OK(MPI_Recv(&got, 1, MPI_INT, world_rank - half, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            EQ(got, round);
            OK(MPI_Startall(EACH, request));
            for (int i = 0; i < EACH; i++) {
                OK(MPI_Waitany(EACH, request, &index, MPI_STATUS_IGNORE));
                CHECK(index >= 0 && index < EACH);
                equal(index, index, round);
            }
            OK(MPI_Waitany(EACH, request, &index, MPI_STATUS_IGNORE));
            EQ(index, MPI_UNDEFINED);
        }
    }
    if (sends || receives)
        for (int i = 0; i < EACH; i++)
            OK(MPI_Request_free(&request[i]));
}

/* Made in different orders on both sides: communicators and tags tell them apart. All with this process itself, too. */
static void apart(int partner) {
    MPI_Comm dup;
    MPI_Request request[2 * EACH];
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &dup));
    for (int i = 0; i < EACH; i++)
        OK(MPI_Psend_init(out[i], 1, COUNT, MPI_INT, partner, i / 2, i % 2 ? dup : MPI_COMM_WORLD, MPI_INFO_NULL, &request[i]));
    for (int i = EACH - 1; i >= 0; i--)
        OK(MPI_Precv_init(in[i], 2, COUNT / 2, MPI_INT, partner, i / 2, i % 2 ? dup : MPI_COMM_WORLD, MPI_INFO_NULL,
                          &request[EACH + i]));
    /* The requests outlive the communicator's handle. */
    OK(MPI_Comm_free(&dup));
    for (int round = 0; round < 3; round++) {
        fill(round);
        OK(MPI_Startall(2 * EACH, request));
        for (int i = 0; i < EACH; i++)
            OK(MPI_Pready(0, request[i]));
        OK(MPI_Waitall(2 * EACH, request, MPI_STATUSES_IGNORE));
        for (int i = 0; i < EACH; i++)
            equal(i, i, round);
    }
    for (int i = 0; i < 2 * EACH; i++)
        OK(MPI_Request_free(&request[i]));
}

/* A pair that is made and freed without a round does not disturb the next ones; a send may be freed while it is under way. */
static void freed(int partner) {
    MPI_Request send, receive;
    for (int i = 0; i < 40; i++) {
        OK(MPI_Precv_init(in[0], 1, 1, MPI_INT, partner, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &receive));
        MPI_Request again = receive;
        OK(MPI_Request_free(&receive));
        MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN);
        FAILS(MPI_Request_free(&again), MPI_ERR_REQUEST);
        MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL);
        OK(MPI_Psend_init(out[0], 1, 1, MPI_INT, partner, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &send));
        OK(MPI_Request_free(&send));
    }
    fill(9);
    OK(MPI_Psend_init(out[3], 2, COUNT / 2, MPI_INT, partner, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &send));
    OK(MPI_Precv_init(in[3], 1, COUNT, MPI_INT, partner, 7, MPI_COMM_WORLD, MPI_INFO_NULL, &receive));
    OK(MPI_Start(&send));
    OK(MPI_Pready_range(0, 1, send));
    OK(MPI_Request_free(&send));
    OK(MPI_Start(&receive));
    OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
    equal(3, 3, 9);
    OK(MPI_Request_free(&receive));
}

/* Requests between their rounds are not pending. */
static void disconnected(void) {
    MPI_Comm dup;
    MPI_Request request[3];
    int value = 0;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &dup));
    OK(MPI_Psend_init(&world_rank, 1, 1, MPI_INT, world_rank, 0, dup, MPI_INFO_NULL, &request[0]));
    OK(MPI_Precv_init(&value, 1, 1, MPI_INT, world_rank, 0, dup, MPI_INFO_NULL, &request[1]));
    OK(MPI_Send_init(&value, 1, MPI_INT, world_rank, 0, dup, &request[2]));
    OK(MPI_Comm_disconnect(&dup));
    for (int i = 0; i < 3; i++)
        OK(MPI_Request_free(&request[i]));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    same_tag(0);
    same_tag(1);
    apart(world_size - 1 - world_rank);
    apart(world_rank);
    freed(world_size - 1 - world_rank);
    freed(world_rank);
    disconnected();
    return finish();
}
