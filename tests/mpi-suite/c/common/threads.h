/* Starts threads and joins them; checks in several threads count in one place. */
#ifndef THREADS_H
#define THREADS_H

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

static atomic_int thread_errors CHECK_UNUSED;

#define THREAD_CHECK(cond, ...)                                                              \
    do {                                                                                     \
        if (!(cond) && atomic_fetch_add(&thread_errors, 1) < CHECK_SHOWN_MAX) {              \
            char text[400];                                                                  \
            snprintf(text, sizeof text, __VA_ARGS__);                                        \
            fprintf(stderr, "%s:%d: rank %d: %s\n", __FILE__, __LINE__, world_rank, text);   \
        }                                                                                    \
    } while (0)

/* Runs `work(0)` … `work(count - 1)` in a thread each, and adds their errors to the program's. */
static CHECK_UNUSED void run_threads(int count, void *(*work)(void *)) {
    pthread_t thread[64];
    for (int i = 0; i < count; i++)
        if (pthread_create(&thread[i], NULL, work, (void *)(intptr_t)i) != 0) {
            fprintf(stderr, "rank %d: no thread\n", world_rank);
            MPI_Abort(MPI_COMM_WORLD, 79);
        }
    for (int i = 0; i < count; i++)
        pthread_join(thread[i], NULL);
    check_errors += atomic_exchange(&thread_errors, 0);
}

static CHECK_UNUSED void begin_multiple(int *argc, char ***argv) {
    if (!begin_thread(argc, argv, MPI_THREAD_MULTIPLE))
        CHECK_FAILED("no MPI_THREAD_MULTIPLE");
}

#endif
