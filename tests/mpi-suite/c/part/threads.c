/* Threads make partitions ready, and others take them as they arrive, while the main thread waits (MPI 5.0 section 4.1). */
#include "threads.h"

enum { THREADS = 4, EACH = 16, PARTS = THREADS * EACH, ITEMS = 300, ROUNDS = 30 };

static int out[PARTS * ITEMS], in[PARTS * ITEMS];
static MPI_Request request[2];
static int round_now, left;

static int value_at(int rank, int round, int i) {
    return rank * 7919 + round * 31 + i;
}

static void *produce(int thread) {
    for (int part = thread; part < PARTS; part += THREADS) {
        for (int i = part * ITEMS; i < (part + 1) * ITEMS; i++)
            out[i] = value_at(world_rank, round_now, i);
        int code = MPI_Pready(part, request[0]);
        THREAD_CHECK(code == MPI_SUCCESS, "MPI_Pready(%d) failed", part);
    }
    return NULL;
}

/* The receiver's partitions are half as many, twice as large. */
static void *consume(int thread) {
    for (int part = thread; part < PARTS / 2; part += THREADS) {
        for (int flag = 0; !flag;)
            MPI_Parrived(request[1], part, &flag);
        for (int i = part * 2 * ITEMS; i < (part + 1) * 2 * ITEMS; i++)
            if (in[i] != value_at(left, round_now, i)) {
                THREAD_CHECK(0, "round %d, partition %d: %d at %d", round_now, part, in[i], i);
                break;
            }
    }
    return NULL;
}

static void *part_of_round(void *argument) {
    int thread = (int)(intptr_t)argument;
    if (thread < 2 * THREADS)
        return thread % 2 ? consume(thread / 2) : produce(thread / 2);
    MPI_Wait(&request[0], MPI_STATUS_IGNORE);
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    left = (world_rank + world_size - 1) % world_size;
    OK(MPI_Psend_init(out, PARTS, ITEMS, MPI_INT, (world_rank + 1) % world_size, 3, MPI_COMM_WORLD, MPI_INFO_NULL,
                      &request[0]));
    OK(MPI_Precv_init(in, PARTS / 2, 2 * ITEMS, MPI_INT, left, 3, MPI_COMM_WORLD, MPI_INFO_NULL, &request[1]));
    for (round_now = 0; round_now < ROUNDS; round_now++) {
        memset(in, 0, sizeof in);
        OK(MPI_Startall(2, request));
        run_threads(2 * THREADS + 1, part_of_round);
        OK(MPI_Wait(&request[1], MPI_STATUS_IGNORE));
    }
    OK(MPI_Request_free(&request[0]));
    OK(MPI_Request_free(&request[1]));
    return finish();
}
