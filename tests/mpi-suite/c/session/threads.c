/* Sessions of several threads at once: each with sessions of its own, string tags that keep their calls apart. */
#include "session.h"
#include "threads.h"

enum { THREADS = 6, ROUNDS = 20 };

static void *part(void *argument) {
    int thread = (int)(intptr_t)argument;
    char tag[32];
    snprintf(tag, sizeof tag, "thread %d", thread);
    for (int round = 0; round < ROUNDS; round++) {
        MPI_Session session = open_session("MPI_THREAD_MULTIPLE");
        MPI_Comm comm = comm_of(session, "mpi://WORLD", tag);
        int out = thread * 1000 + round, low = -1, high = -1;
        MPI_Allreduce(&out, &low, 1, MPI_INT, MPI_MIN, comm);
        MPI_Allreduce(&out, &high, 1, MPI_INT, MPI_MAX, comm);
        THREAD_CHECK(low == out && high == out, "thread %d, round %d: %d to %d", thread, round, low, high);
        MPI_Comm_free(&comm);
        MPI_Session_finalize(&session);
    }
    return NULL;
}

int main(void) {
    /* The first session asks for little: what comes later is not bound by it. */
    begin_session("MPI_THREAD_SINGLE");
    MPI_Session session = open_session("MPI_THREAD_MULTIPLE");
    thread_level(session, "MPI_THREAD_MULTIPLE");
    run_threads(THREADS, part);
    OK(MPI_Session_finalize(&session));
    /* Who asks for nothing hears what there is. */
    OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &session));
    thread_level(session, "MPI_THREAD_MULTIPLE");
    OK(MPI_Session_finalize(&session));
    return finish_session();
}
