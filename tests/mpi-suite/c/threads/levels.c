/* With MPI_THREAD_SERIALIZED threads may call in turn; with MPI_THREAD_FUNNELED others may compute. */
#include "threads.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *in_turn(void *argument) {
    int thread = (int)(intptr_t)argument;
    for (int turn = 0; turn < 100; turn++) {
        int value = thread * 100 + turn, got = -1;
        pthread_mutex_lock(&lock);
        MPI_Sendrecv(&value, 1, MPI_INT, 0, 1, &got, 1, MPI_INT, 0, 1, MPI_COMM_SELF, MPI_STATUS_IGNORE);
        pthread_mutex_unlock(&lock);
        THREAD_CHECK(got == value, "%d instead of %d", got, value);
    }
    return NULL;
}

static void *not_main(void *argument) {
    int flag = 1;
    (void)argument;
    MPI_Is_thread_main(&flag);
    THREAD_CHECK(!flag, "a second thread is the main one");
    return NULL;
}

int main(int argc, char **argv) {
    CHECK(begin_thread(&argc, &argv, MPI_THREAD_SERIALIZED));
    run_threads(3, in_turn);
    run_threads(1, not_main);
    return finish();
}
