/* Each thread has a communicator of its own and runs collectives, dups and splits on it at once with the others:
 * new communicators must not mix although their threads interleave differently on every rank. */
#include "threads.h"

enum { THREADS = 4, TURNS = 60 };

static MPI_Comm comm[THREADS];

static void *work(void *argument) {
    int thread = (int)(intptr_t)argument;
    MPI_Comm mine = comm[thread];
    int ranksum = world_size * (world_size - 1) / 2;
    int *large = get_memory(5000 * sizeof(int));
    for (int turn = 0; turn < TURNS; turn++) {
        int value = world_rank + thread * 1000 + turn, sum = -1;
        MPI_Comm copy, part;
        MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, mine);
        THREAD_CHECK(sum == ranksum + world_size * (thread * 1000 + turn), "thread %d, turn %d: sum %d", thread, turn,
                     sum);
        MPI_Comm_dup(mine, &copy);
        for (int i = 0; i < 5000; i++)
            large[i] = world_rank == turn % world_size ? thread * 7 + turn + i : -1;
        MPI_Bcast(large, 5000, MPI_INT, turn % world_size, copy);
        THREAD_CHECK(large[0] == thread * 7 + turn && large[4999] == thread * 7 + turn + 4999,
                     "thread %d, turn %d: wrong broadcast", thread, turn);
        MPI_Comm_split(copy, world_rank % 2, 0, &part);
        MPI_Comm_free(&copy);
        int members = 0;
        MPI_Comm_size(part, &members);
        value = 1;
        MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, part);
        THREAD_CHECK(sum == members, "thread %d, turn %d: %d of %d", thread, turn, sum, members);
        MPI_Comm_free(&part);
        MPI_Barrier(mine);
    }
    free(large);
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    for (int t = 0; t < THREADS; t++)
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm[t]));
    run_threads(THREADS, work);
    for (int t = 0; t < THREADS; t++)
        OK(MPI_Comm_free(&comm[t]));
    return finish();
}
