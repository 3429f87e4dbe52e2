/* One thread waits for a message that a second thread of the same rank makes possible; requests started by one thread
 * are completed by another; a blocked thread does not keep the others from working (MPI 5.0 section 11.6.1). */
#include "threads.h"

enum { TURNS = 200, REQUESTS = 64 };

static MPI_Request request[REQUESTS];
static int out[REQUESTS], in[REQUESTS];

/* Thread 0 blocks in a receive that thread 1 satisfies, by a message to its own rank. */
static void *to_oneself(void *argument) {
    for (int turn = 0; turn < TURNS; turn++) {
        int value = turn;
        if (argument == NULL) {
            value = -1;
            MPI_Recv(&value, 1, MPI_INT, world_rank, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            THREAD_CHECK(value == turn, "turn %d: %d", turn, value);
            MPI_Ssend(&value, 1, MPI_INT, world_rank, 6, MPI_COMM_WORLD);
        } else {
            MPI_Send(&value, 1, MPI_INT, world_rank, 5, MPI_COMM_WORLD);
            MPI_Recv(&value, 1, MPI_INT, world_rank, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            THREAD_CHECK(value == turn, "turn %d: %d came back", turn, value);
        }
    }
    return NULL;
}

/* Each thread completes a part of what the main thread has started. */
static void *complete(void *argument) {
    int thread = (int)(intptr_t)argument;
    for (int i = thread; i < REQUESTS; i += 4)
        MPI_Wait(&request[i], MPI_STATUS_IGNORE);
    return NULL;
}

/* Thread 0 waits for a message that rank 0 sends last of all; thread 1 talks all the while. */
static void *blocked_and_busy(void *argument) {
    int value = -1, right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    if (argument == NULL) {
        MPI_Recv(&value, 1, MPI_INT, left, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        THREAD_CHECK(value == 4711, "value %d", value);
    } else {
        for (int turn = 0; turn < TURNS; turn++) {
            MPI_Sendrecv(&turn, 1, MPI_INT, right, 8, &value, 1, MPI_INT, left, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            THREAD_CHECK(value == turn, "turn %d: %d", turn, value);
        }
        value = 4711;
        MPI_Send(&value, 1, MPI_INT, right, 7, MPI_COMM_WORLD);
    }
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    run_threads(2, to_oneself);
    run_threads(2, blocked_and_busy);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int turn = 0; turn < 20; turn++) {
        for (int i = 0; i < REQUESTS; i += 2) {
            out[i] = turn * 1000 + i;
            OK(MPI_Irecv(&in[i], 1, MPI_INT, left, i, MPI_COMM_WORLD, &request[i]));
            OK(MPI_Issend(&out[i], 1, MPI_INT, right, i, MPI_COMM_WORLD, &request[i + 1]));
        }
        run_threads(4, complete);
        for (int i = 0; i < REQUESTS; i += 2)
            EQ(in[i], turn * 1000 + i);
    }
    return finish();
}
