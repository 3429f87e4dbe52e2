/* Eight threads per rank at once, each with a communicator of its own and all on a shared one: rounds of mixed traffic, chosen at random but
 * alike on all ranks, with every sum checked. Argument: seconds. */
#include "threads.h"

enum { THREADS = 8, LARGEST = 30000, WINDOW = 12 };

static MPI_Comm own[THREADS], shared;
static double seconds = 2;
static long rounds_of[THREADS];

struct work {
    int thread, round;
    unsigned long random;
    MPI_Comm comm;
    int *out, *in;
};

/* The same on every rank: the state depends on the thread and the round alone. */
static int draw(struct work *w, int bound) {
    w->random = w->random * 6364136223846793005ul + 1442695040888963407ul;
    return (int)((w->random >> 33) % (unsigned long)bound);
}

static int draw_length(struct work *w) {
    static const int most[] = {1, 16, 200, 3000, LARGEST};
    return 1 + draw(w, most[draw(w, 5)]);
}

static int value(const struct work *w, int rank, int i) {
    return w->thread * 1000003 + w->round * 101 + rank * 7 + i;
}

static void fill(const struct work *w, int *to, int n) {
    for (int i = 0; i < n; i++)
        to[i] = value(w, world_rank, i);
}

static void check(const struct work *w, const int *from, int rank, int n, const char *what) {
    for (int i = 0; i < n; i++)
        if (from[i] != value(w, rank, i)) {
            THREAD_CHECK(0, "thread %d, round %d: %s: number %d of %d from rank %d is %d", w->thread, w->round, what, i, n, rank,
                         from[i]);
            return;
        }
}

static void ring(struct work *w, MPI_Comm comm) {
    int n = draw_length(w), right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    int way = draw(w, 5), probe = draw(w, 3);
    MPI_Request request;
    MPI_Status status;
    fill(w, w->out, n);
    memset(w->in, 0, (size_t)n * sizeof(int));
    switch (way) {
    case 0: MPI_Isend(w->out, n, MPI_INT, right, w->thread, comm, &request); break;
    case 1: MPI_Issend(w->out, n, MPI_INT, right, w->thread, comm, &request); break;
    case 2:
        MPI_Send_init(w->out, n, MPI_INT, right, w->thread, comm, &request);
        MPI_Start(&request);
        break;
    default:
        MPI_Sendrecv(w->out, n, MPI_INT, right, w->thread, w->in, LARGEST, MPI_INT, left, w->thread, comm, &status);
        check(w, w->in, left, n, "sendrecv");
        return;
    }
    if (probe == 0) {
        MPI_Message message;
        MPI_Mprobe(MPI_ANY_SOURCE, w->thread, comm, &message, &status);
        MPI_Mrecv(w->in, LARGEST, MPI_INT, &message, &status);
    } else
        MPI_Recv(w->in, LARGEST, MPI_INT, probe == 1 ? left : MPI_ANY_SOURCE, w->thread, comm, &status);
    int count = -1;
    MPI_Get_count(&status, MPI_INT, &count);
    THREAD_CHECK(count == n && status.MPI_SOURCE == left, "thread %d, round %d: %d numbers from rank %d", w->thread, w->round, count,
                 status.MPI_SOURCE);
    check(w, w->in, left, n, "receive");
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    if (way == 2)
        MPI_Request_free(&request);
}

static void window(struct work *w, MPI_Comm comm) {
    MPI_Request request[2 * WINDOW];
    int n = 1 + draw(w, LARGEST / WINDOW), shift = draw(w, world_size);
    int to = (world_rank + shift) % world_size, from = (world_rank + world_size - shift) % world_size;
    fill(w, w->out, n);
    for (int i = 0; i < WINDOW; i++)
        MPI_Irecv(w->in + i * n, n, MPI_INT, from, 100 + w->thread, comm, &request[i]);
    for (int i = 0; i < WINDOW; i++)
        MPI_Isend(w->out, n, MPI_INT, to, 100 + w->thread, comm, &request[WINDOW + i]);
    if (draw(w, 2))
        MPI_Waitall(2 * WINDOW, request, MPI_STATUSES_IGNORE);
    else
        for (int left = 2 * WINDOW, index; left > 0; left--)
            MPI_Waitany(2 * WINDOW, request, &index, MPI_STATUS_IGNORE);
    for (int i = 0; i < WINDOW; i++)
        check(w, w->in + i * n, from, n, "window");
}

static void collective(struct work *w) {
    int root = draw(w, world_size), which = draw(w, 5), n = which == 4 ? 1 + draw(w, LARGEST / world_size) : draw_length(w);
    long ranks = (long)world_size * (world_size - 1) / 2;
    MPI_Request request;
    fill(w, w->out, n);
    switch (which) {
    case 0: MPI_Allreduce(w->out, w->in, n, MPI_INT, MPI_SUM, w->comm); break;
    case 1:
        MPI_Iallreduce(w->out, w->in, n, MPI_INT, MPI_SUM, w->comm, &request);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        break;
    case 2:
        MPI_Bcast(w->out, n, MPI_INT, root, w->comm);
        check(w, w->out, root, n, "broadcast");
        return;
    case 3: {
        MPI_Comm copy;
        MPI_Comm_dup(w->comm, &copy);
        MPI_Barrier(copy);
        MPI_Comm_free(&copy);
        return;
    }
    default:
        MPI_Allgather(w->out, n, MPI_INT, w->in, n, MPI_INT, w->comm);
        for (int rank = 0; rank < world_size; rank++)
            check(w, w->in + rank * n, rank, n, "allgather");
        return;
    }
    for (int i = 0; i < n; i++) {
        int sum = (int)((unsigned)world_size * (unsigned)value(w, 0, i) + 7u * (unsigned)ranks);
        if (w->in[i] != sum) {
            THREAD_CHECK(0, "thread %d, round %d: sum %d of %d is %d, not %d", w->thread, w->round, i, n, w->in[i], sum);
            return;
        }
    }
}

static void *work(void *argument) {
    struct work w = {.thread = (int)(intptr_t)argument};
    double start = MPI_Wtime();
    w.comm = own[w.thread];
    w.out = get_memory(LARGEST * sizeof(int));
    w.in = get_memory(LARGEST * sizeof(int));
    for (int go_on = 1; go_on; w.round++) {
        w.random = (unsigned long)w.round * 8 + (unsigned long)w.thread;
        draw(&w, 2);
        switch (draw(&w, 4)) {
        case 0: ring(&w, w.comm); break;
        case 1: ring(&w, shared); break;
        case 2: window(&w, draw(&w, 2) ? shared : w.comm); break;
        default: collective(&w);
        }
        if (w.round % 8 == 7) {
            go_on = MPI_Wtime() - start < seconds;
            MPI_Bcast(&go_on, 1, MPI_INT, 0, w.comm);
        }
    }
    rounds_of[w.thread] = w.round;
    free(w.out);
    free(w.in);
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    if (argc > 1)
        seconds = atof(argv[1]);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &shared));
    for (int t = 0; t < THREADS; t++)
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &own[t]));
    run_threads(THREADS, work);
    for (int t = 0; t < THREADS; t++) {
        CHECK(rounds_of[t] > 0);
        if (world_rank == 0 && argc > 1)
            printf("thread %d: %ld rounds\n", t, rounds_of[t]);
        OK(MPI_Comm_free(&own[t]));
    }
    OK(MPI_Comm_free(&shared));
    return finish();
}
