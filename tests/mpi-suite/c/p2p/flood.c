/* Rank 0 sends a flood of 8-byte messages with tag 1 that rank 1 does not receive for a long time. Meanwhile rank 1
 * plays ping-pong on tag 2 with rank 0 over another communicator, and with rank 2: the flood may hold up neither, and
 * may cost rank 1 less than 64 MiB. Then everything is received, in order.
 *
 * Arguments: variant ("thread": blocking sends from a second thread; "window": nonblocking sends, a window at a time),
 * number of messages, turns of ping-pong. */
#include "check.h"

#include <pthread.h>

enum { FLOOD = 1, BALL = 2, WINDOW = 512, GROWTH_KIB_MAX = 64 * 1024 };

/* On a busy machine with more ranks than cores a turn takes milliseconds; blocked, it takes for ever. */
static const double TURN_SECONDS_MAX = 5.0;

static long messages, turns, sent;
static MPI_Comm side;

static long resident_kib(void) {
    char line[200];
    long kib = -1;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    return kib;
}

static void *flood(void *unused) {
    (void)unused;
    for (long i = 0; i < messages; i++)
        MPI_Send(&i, 1, MPI_LONG, 1, FLOOD, MPI_COMM_WORLD);
    return NULL;
}

/* One turn: there and back; the starter sends first. Returns the seconds it took. */
static double turn(int partner, MPI_Comm comm, long ball, int starts) {
    double start = MPI_Wtime();
    long got = -1;
    if (starts)
        OK(MPI_Send(&ball, 1, MPI_LONG, partner, BALL, comm));
    OK(MPI_Recv(&got, 1, MPI_LONG, partner, BALL, comm, MPI_STATUS_IGNORE));
    if (!starts)
        OK(MPI_Send(&got, 1, MPI_LONG, partner, BALL, comm));
    EQ(got, ball);
    return MPI_Wtime() - start;
}

static long value[WINDOW];
static MPI_Request request[WINDOW];

/* Refills the slots of the window that are free. */
static void refill(int blocking) {
    int count = 0, done[WINDOW];
    if (sent < WINDOW && sent < messages) {
        count = messages < WINDOW ? (int)messages : WINDOW;
        for (int i = 0; i < count; i++)
            done[i] = i;
    } else if (blocking) {
        OK(MPI_Waitsome(WINDOW, request, &count, done, MPI_STATUSES_IGNORE));
    } else {
        OK(MPI_Testsome(WINDOW, request, &count, done, MPI_STATUSES_IGNORE));
    }
    for (int i = 0; count != MPI_UNDEFINED && i < count && sent < messages; i++) {
        value[done[i]] = sent++;
        OK(MPI_Isend(&value[done[i]], 1, MPI_LONG, 1, FLOOD, MPI_COMM_WORLD, &request[done[i]]));
    }
}

static void sender(int with_thread) {
    pthread_t thread;
    double slowest = 0;
    for (int i = 0; i < WINDOW; i++)
        request[i] = MPI_REQUEST_NULL;
    if (with_thread && pthread_create(&thread, NULL, flood, NULL) != 0)
        CHECK_FAILED("no thread");
    for (long i = 0; i < turns; i++) {
        if (!with_thread)
            refill(0);
        double seconds = turn(1, side, i, 1);
        slowest = seconds > slowest ? seconds : slowest;
    }
    CHECK_MSG(slowest < TURN_SECONDS_MAX, "a turn took %.2f s", slowest);
    if (with_thread) {
        pthread_join(thread, NULL);
    } else {
        while (sent < messages)
            refill(1);
        OK(MPI_Waitall(WINDOW, request, MPI_STATUSES_IGNORE));
    }
}

static void receiver(void) {
    long before = resident_kib(), after, wrong = 0;
    for (long i = 0; i < turns; i++) {
        turn(0, side, i, 0);
        turn(2, MPI_COMM_WORLD, i, 1);
    }
    after = resident_kib();
    CHECK_MSG(after - before < GROWTH_KIB_MAX, "grew by %ld KiB", after - before);
    for (long i = 0; i < messages; i++) {
        long got = -1;
        MPI_Recv(&got, 1, MPI_LONG, 0, FLOOD, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        wrong += got != i;
    }
    EQ(wrong, 0);
    after = resident_kib();
    CHECK_MSG(after - before < GROWTH_KIB_MAX, "grew by %ld KiB while receiving", after - before);
    printf("rank 1 grew by %ld KiB\n", after - before);
}

int main(int argc, char **argv) {
    int with_thread = argc > 1 && strcmp(argv[1], "thread") == 0;
    messages = argc > 2 ? atol(argv[2]) : 200000;
    turns = argc > 3 ? atol(argv[3]) : 2000;
    if (!begin_thread(&argc, &argv, with_thread ? MPI_THREAD_MULTIPLE : MPI_THREAD_SINGLE))
        CHECK_FAILED("not the thread level asked for");
    need_ranks(3);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &side));
    if (world_rank == 0)
        sender(with_thread);
    else if (world_rank == 1)
        receiver();
    else if (world_rank == 2)
        for (long i = 0; i < turns; i++)
            turn(1, MPI_COMM_WORLD, i, 0);
    OK(MPI_Comm_free(&side));
    return finish();
}
