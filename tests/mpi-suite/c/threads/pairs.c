/* Several threads per rank, each with its own tag and its partner thread on every other rank: small, large and
 * synchronous messages, all checked. */
#include "threads.h"

enum { THREADS = 4, TURNS = 400 };

static int size_of(int turn, int thread) {
    static const int sizes[] = {1, 10, 300, 9, 5000, 64, 40000, 2};
    return sizes[(turn + thread) % 8];
}

static void *work(void *argument) {
    int thread = (int)(intptr_t)argument;
    int *out = get_memory(40000 * sizeof(int)), *in = get_memory(40000 * sizeof(int));
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int turn = 0; turn < TURNS; turn++) {
        MPI_Request request;
        MPI_Status status;
        int n = size_of(turn, thread), count = -1;
        for (int i = 0; i < n; i++)
            out[i] = world_rank * 1000000 + thread * 100000 + turn + i;
        if (turn % 3 == 0)
            MPI_Issend(out, n, MPI_INT, right, thread, MPI_COMM_WORLD, &request);
        else
            MPI_Isend(out, n, MPI_INT, right, thread, MPI_COMM_WORLD, &request);
        MPI_Recv(in, 40000, MPI_INT, turn % 2 ? left : MPI_ANY_SOURCE, thread, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_INT, &count);
        THREAD_CHECK(count == n && status.MPI_SOURCE == left, "thread %d, turn %d: %d ints from %d", thread, turn, count,
                     status.MPI_SOURCE);
        for (int i = 0; i < n; i++)
            if (in[i] != left * 1000000 + thread * 100000 + turn + i) {
                THREAD_CHECK(0, "thread %d, turn %d: wrong at %d", thread, turn, i);
                break;
            }
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    }
    free(out);
    free(in);
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    run_threads(THREADS, work);
    return finish();
}
