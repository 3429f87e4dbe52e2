/* Cancelling (MPI 5.0 section 3.8.4): a receive that nothing matches is cancelled; for a send either the
 * cancellation or the delivery succeeds, never both and never neither. */
#include "check.h"

enum { DATA = 1, COUNT = 2, SENDS = 20 };

static void receives(void) {
    int value = -1, cancelled = 0;
    MPI_Request request;
    MPI_Status status;
    /* unmatched: must succeed */
    OK(MPI_Irecv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 77, MPI_COMM_WORLD, &request));
    OK(MPI_Cancel(&request));
    CHECK(request != MPI_REQUEST_NULL);
    OK(MPI_Wait(&request, &status));
    OK(MPI_Test_cancelled(&status, &cancelled));
    CHECK(cancelled);
    CHECK(request == MPI_REQUEST_NULL);
    /* a persistent one can be started again afterwards */
    OK(MPI_Recv_init(&value, 1, MPI_INT, world_rank, 78, MPI_COMM_WORLD, &request));
    OK(MPI_Start(&request));
    OK(MPI_Cancel(&request));
    OK(MPI_Wait(&request, &status));
    OK(MPI_Test_cancelled(&status, &cancelled));
    CHECK(cancelled);
    int sent = 4711;
    MPI_Request send;
    OK(MPI_Start(&request));
    OK(MPI_Isend(&sent, 1, MPI_INT, world_rank, 78, MPI_COMM_WORLD, &send));
    OK(MPI_Wait(&request, &status));
    OK(MPI_Test_cancelled(&status, &cancelled));
    CHECK(!cancelled);
    EQ(value, 4711);
    OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
    OK(MPI_Request_free(&request));
    /* matched already: the message is there, and cancelling comes too late */
    OK(MPI_Irecv(&value, 1, MPI_INT, world_rank, 79, MPI_COMM_WORLD, &request));
    sent = 99;
    OK(MPI_Send(&sent, 1, MPI_INT, world_rank, 79, MPI_COMM_WORLD));
    OK(MPI_Cancel(&request));
    OK(MPI_Wait(&request, &status));
    OK(MPI_Test_cancelled(&status, &cancelled));
    CHECK(!cancelled);
    EQ(value, 99);
    /* a cancelled receive must not swallow the next message */
    OK(MPI_Irecv(&value, 1, MPI_INT, world_rank, 80, MPI_COMM_WORLD, &request));
    OK(MPI_Cancel(&request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    OK(MPI_Sendrecv(&sent, 1, MPI_INT, world_rank, 80, &value, 1, MPI_INT, world_rank, 80, MPI_COMM_WORLD, &status));
    EQ(value, 99);
}

/* The same for a message to oneself that no receive has met. */
static void send_to_self(void) {
    int value = 5, got = 0, cancelled = 0;
    MPI_Request request;
    MPI_Status status;
    OK(MPI_Isend(&value, 1, MPI_INT, world_rank, 81, MPI_COMM_WORLD, &request));
    OK(MPI_Cancel(&request));
    OK(MPI_Wait(&request, &status));
    OK(MPI_Test_cancelled(&status, &cancelled));
    if (!cancelled) {
        OK(MPI_Recv(&got, 1, MPI_INT, world_rank, 81, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        EQ(got, 5);
    }
    OK(MPI_Iprobe(world_rank, 81, MPI_COMM_WORLD, &got, MPI_STATUS_IGNORE));
    CHECK_MSG(!got, "a message is left whose send was %s", cancelled ? "cancelled" : "received");
}

/* What was not cancelled arrives, in order; the sender says how many that are. */
static void sends(int bytes, int synchronous) {
    unsigned char *buffer = get_memory((size_t)bytes);
    if (world_rank == 0) {
        int delivered = 0, cancelled;
        MPI_Request request;
        MPI_Status status;
        for (int i = 0; i < SENDS; i++) {
            fill_pattern(buffer, (size_t)bytes, (unsigned)delivered);
            if (synchronous)
                OK(MPI_Issend(buffer, bytes, MPI_BYTE, 1, DATA, MPI_COMM_WORLD, &request));
            else
                OK(MPI_Isend(buffer, bytes, MPI_BYTE, 1, DATA, MPI_COMM_WORLD, &request));
            OK(MPI_Cancel(&request));
            OK(MPI_Wait(&request, &status));
            OK(MPI_Test_cancelled(&status, &cancelled));
            delivered += !cancelled;
        }
        OK(MPI_Send(&delivered, 1, MPI_INT, 1, COUNT, MPI_COMM_WORLD));
    } else if (world_rank == 1) {
        int delivered = -1, flag;
        OK(MPI_Recv(&delivered, 1, MPI_INT, 0, COUNT, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        CHECK(delivered >= 0 && delivered <= SENDS);
        for (int i = 0; i < delivered; i++) {
            OK(MPI_Recv(buffer, bytes, MPI_BYTE, 0, DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            CHECK_PATTERN(buffer, (size_t)bytes, i);
        }
        OK(MPI_Iprobe(0, DATA, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
        CHECK_MSG(!flag, "a message of %d bytes arrived though its send was cancelled", bytes);
    }
    /* or the probe might see a message of the next round */
    OK(MPI_Barrier(MPI_COMM_WORLD));
    free(buffer);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    receives();
    send_to_self();
    static const int sizes[] = {0, 8, 500, 30000, 1000000};
    for (int k = 0; k < 5; k++) {
        sends(sizes[k], 0);
        sends(sizes[k], 1);
    }
    return finish();
}
