/* All threads of rank 0 receive from anywhere with one tag on one communicator; every message is taken exactly once.
 * Half of the threads use matched probes, since a probe and a receive in two threads would race. */
#include "threads.h"

enum { THREADS = 4, EACH = 1500 };

static atomic_llong sum;
static atomic_int taken, next;

static void take_probed(void) {
    MPI_Message message;
    MPI_Status status;
    int value = -1;
    MPI_Mprobe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &message, &status);
    MPI_Mrecv(&value, 1, MPI_INT, &message, &status);
    atomic_fetch_add(&sum, value);
}

static void take(void) {
    int value = -1;
    MPI_Recv(&value, 1, MPI_INT, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    atomic_fetch_add(&sum, value);
}

static void *work(void *argument) {
    int thread = (int)(intptr_t)argument;
    if (world_rank == 0) {
        /* A place in line first, so that nobody waits for a message that another has taken. */
        while (atomic_fetch_add(&taken, 1) < THREADS * EACH * (world_size - 1))
            thread % 2 ? take_probed() : take();
    } else {
        for (int i = 0; i < EACH; i++) {
            int value = atomic_fetch_add(&next, 1);
            MPI_Send(&value, 1, MPI_INT, 0, 1, MPI_COMM_WORLD);
        }
    }
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    need_ranks(2);
    run_threads(THREADS, work);
    if (world_rank == 0) {
        long long each = (long long)THREADS * EACH;
        EQ(atomic_load(&sum), (world_size - 1) * (each * (each - 1) / 2));
    }
    return finish();
}
