/* Matched probes: a message found is out of every other receive's reach (MPI 5.0 section 3.8.2). */
#include "check.h"

enum { LARGEST = 400000 };
static const int sizes[] = {0, 8, 100, 4096, 50000, 400000};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void sender(unsigned char *out) {
    unsigned char *second = get_memory(LARGEST);
    for (int turn = 0; turn < 4; turn++)
        for (int k = 0; k < SIZES; k++) {
            MPI_Request request[2];
            fill_pattern(out, (size_t)sizes[k], (unsigned)(2 * k));
            fill_pattern(second, (size_t)sizes[k], (unsigned)(2 * k + 1));
            OK(MPI_Isend(out, sizes[k], MPI_BYTE, 1, 5, MPI_COMM_WORLD, &request[0]));
            OK(MPI_Isend(second, sizes[k], MPI_BYTE, 1, 5, MPI_COMM_WORLD, &request[1]));
            OK(MPI_Waitall(2, request, MPI_STATUSES_IGNORE));
        }
    free(second);
}

static void receiver(unsigned char *in) {
    for (int turn = 0; turn < 4; turn++)
        for (int k = 0; k < SIZES; k++) {
            MPI_Message message = MPI_MESSAGE_NULL;
            MPI_Status status;
            int flag = 0, count = -1;
            if (turn % 2) {
                OK(MPI_Mprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &message, &status));
            } else {
                while (!flag)
                    OK(MPI_Improbe(0, 5, MPI_COMM_WORLD, &flag, &message, &status));
            }
            CHECK(message != MPI_MESSAGE_NULL && message != MPI_MESSAGE_NO_PROC);
            OK(MPI_Get_count(&status, MPI_BYTE, &count));
            EQ(count, sizes[k]);
            /* The plain receive gets the second message, though the first has not been received yet. */
            OK(MPI_Recv(in, LARGEST, MPI_BYTE, 0, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            CHECK_PATTERN(in, (size_t)sizes[k], 2 * k + 1);
            memset(in, 0, LARGEST);
            if (turn / 2) {
                OK(MPI_Mrecv(in, count, MPI_BYTE, &message, &status));
            } else {
                MPI_Request request;
                OK(MPI_Imrecv(in, count, MPI_BYTE, &message, &request));
                OK(MPI_Wait(&request, &status));
            }
            CHECK(message == MPI_MESSAGE_NULL);
            EQ(status.MPI_SOURCE, 0);
            EQ(status.MPI_TAG, 5);
            CHECK_PATTERN(in, (size_t)count, 2 * k);
        }
}

static void from_nobody(unsigned char *in) {
    MPI_Message message = MPI_MESSAGE_NULL;
    MPI_Status status;
    MPI_Request request;
    int flag = 0, count = -1;
    OK(MPI_Mprobe(MPI_PROC_NULL, 1, MPI_COMM_WORLD, &message, &status));
    CHECK(message == MPI_MESSAGE_NO_PROC);
    EQ(status.MPI_SOURCE, MPI_PROC_NULL);
    OK(MPI_Mrecv(in, 10, MPI_BYTE, &message, &status));
    CHECK(message == MPI_MESSAGE_NULL);
    EQ(status.MPI_SOURCE, MPI_PROC_NULL);
    EQ(status.MPI_TAG, MPI_ANY_TAG);
    OK(MPI_Improbe(MPI_PROC_NULL, 1, MPI_COMM_WORLD, &flag, &message, &status));
    CHECK(flag && message == MPI_MESSAGE_NO_PROC);
    OK(MPI_Imrecv(in, 10, MPI_BYTE, &message, &request));
    OK(MPI_Wait(&request, &status));
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, 0);
    /* Nothing is waiting. */
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Improbe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, &message, &status));
    CHECK(!flag);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *buffer = get_memory(LARGEST);
    if (world_rank == 0)
        sender(buffer);
    else if (world_rank == 1)
        receiver(buffer);
    from_nobody(buffer);
    free(buffer);
    return finish();
}
