/* A tool's own threads watch a program of one thread while it communicates (MPI 5.0 section 15.3.4): the levels are
 * independent of each other. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 3, ROUNDS = 20000 };

static atomic_int stop;
static atomic_int failures;
static atomic_int looks;

#define TOOL(call)                                                                           \
    do {                                                                                     \
        if ((call) != MPI_SUCCESS)                                                           \
            atomic_fetch_add(&failures, 1);                                                  \
    } while (0)

static void *watch(void *unused) {
    MPI_T_pvar_session session;
    MPI_T_pvar_handle sent, length, most;
    MPI_Comm comm = MPI_COMM_WORLD;
    unsigned long long value, last = 0;
    int sent_index, length_index, most_index, count;
    TOOL(MPI_T_pvar_get_index("hpvm_eager_messages_sent", MPI_T_PVAR_CLASS_COUNTER, &sent_index));
    TOOL(MPI_T_pvar_get_index("hpvm_posted_queue_length", MPI_T_PVAR_CLASS_LEVEL, &length_index));
    TOOL(MPI_T_pvar_get_index("hpvm_posted_queue_length_max", MPI_T_PVAR_CLASS_HIGHWATERMARK, &most_index));
    do {
        TOOL(MPI_T_pvar_session_create(&session));
        TOOL(MPI_T_pvar_handle_alloc(session, sent_index, NULL, &sent, &count));
        TOOL(MPI_T_pvar_handle_alloc(session, length_index, &comm, &length, &count));
        TOOL(MPI_T_pvar_handle_alloc(session, most_index, &comm, &most, &count));
        TOOL(MPI_T_pvar_start(session, MPI_T_PVAR_ALL_HANDLES));
        for (int i = 0; i < 100; i++) {
            TOOL(MPI_T_pvar_read(session, sent, &value));
            /* Since the handle was started: it only grows. */
            if (i > 0 && value < last)
                atomic_fetch_add(&failures, 1);
            last = value;
            TOOL(MPI_T_pvar_read(session, length, &value));
            if (value > 1)
                atomic_fetch_add(&failures, 1);
            TOOL(MPI_T_pvar_read(session, most, &value));
            if (value > 1)
                atomic_fetch_add(&failures, 1);
        }
        TOOL(MPI_T_pvar_session_free(&session));
        atomic_fetch_add(&looks, 1);
    } while (!atomic_load(&stop));
    return unused;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    int provided, value = 0;
    OK(MPI_T_init_thread(MPI_THREAD_MULTIPLE, &provided));
    EQ(provided, MPI_THREAD_MULTIPLE);
    begin(&argc, &argv);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, watch, NULL) == 0);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 0; i < ROUNDS; i++)
        OK(MPI_Sendrecv(&i, 1, MPI_INT, right, 1, &value, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EQ(value, ROUNDS - 1);
    atomic_store(&stop, 1);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    EQ(atomic_load(&failures), 0);
    CHECK(atomic_load(&looks) >= THREADS);
    OK(MPI_T_finalize());
    return finish();
}
