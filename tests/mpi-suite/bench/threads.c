/* Eight threads in each of two ranks, each with its partner in the other: windows of 64 messages of 8 bytes, messages per
 * second of all together. Each pair on a communicator of its own (`threads_own`), or all on one (`threads_shared`). */
#include "bench.h"
#include <pthread.h>

enum { THREADS = 8, WINDOW = 64 };
static MPI_Comm own[THREADS];
static int shared, windows;

static void *work(void *argument) {
    int me = (int)(size_t)argument;
    MPI_Comm comm = shared ? MPI_COMM_WORLD : own[me];
    MPI_Request request[WINDOW];
    double value[WINDOW] = {0};
    for (int i = 0; i < windows; i++) {
        for (int w = 0; w < WINDOW; w++)
            if (rank == 0)
                MPI_Isend(&value[w], 1, MPI_DOUBLE, 1, me, comm, &request[w]);
            else
                MPI_Irecv(&value[w], 1, MPI_DOUBLE, 0, me, comm, &request[w]);
        MPI_Waitall(WINDOW, request, MPI_STATUSES_IGNORE);
        if (rank == 0)
            MPI_Recv(NULL, 0, MPI_DOUBLE, 1, THREADS + me, comm, MPI_STATUS_IGNORE);
        else
            MPI_Send(NULL, 0, MPI_DOUBLE, 0, THREADS + me, comm);
    }
    return NULL;
}

static void batch(size_t bytes, int n) {
    pthread_t thread[THREADS];
    (void)bytes;
    windows = n;
    for (size_t t = 0; t < THREADS; t++)
        if (pthread_create(&thread[t], NULL, work, (void *)t) != 0)
            MPI_Abort(MPI_COMM_WORLD, 1);
    for (int t = 0; t < THREADS; t++)
        pthread_join(thread[t], NULL);
}

int main(int argc, char **argv) {
    int provided;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (provided != MPI_THREAD_MULTIPLE || ranks != 2) {
        fprintf(stderr, "MPI_THREAD_MULTIPLE and 2 ranks are needed\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    /* Not pinned: more threads than cores. */
    crowded = 1;
    for (int t = 0; t < THREADS; t++)
        MPI_Comm_dup(MPI_COMM_WORLD, &own[t]);
    for (shared = 0; shared < 2; shared++)
        cell(shared ? "threads_shared" : "threads_own", 8, "messages/s",
             (double)THREADS * WINDOW / seconds_each(batch, 8));
    for (int t = 0; t < THREADS; t++)
        MPI_Comm_free(&own[t]);
    MPI_Finalize();
    return 0;
}
