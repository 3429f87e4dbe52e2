/* Programs that never end, for the launcher's wait-for report; the first argument says how. */
#include "check.h"

#include <signal.h>
#include <unistd.h>

static int value, values[4];
static char large[4 << 20];

static int is(int argc, char **argv, const char *name) {
    return argc > 1 && strcmp(argv[1], name) == 0;
}

static void recv_from(int rank, int tag, MPI_Comm comm) {
    MPI_Recv(&value, 1, MPI_INT, rank, tag, comm, MPI_STATUS_IGNORE);
}

static void compute(void) {
    for (volatile unsigned long count = 0;; count++)
        ;
}

/* The even and the odd ranks, by name. */
static MPI_Comm half(void) {
    MPI_Comm comm;
    MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, 0, &comm);
    MPI_Comm_set_name(comm, world_rank % 2 ? "odd" : "even");
    return comm;
}

static MPI_Comm between_halves(void) {
    MPI_Comm comm;
    MPI_Intercomm_create(half(), 0, MPI_COMM_WORLD, world_rank % 2 ? 0 : 1, 1, &comm);
    MPI_Comm_set_name(comm, "bridge");
    return comm;
}

int main(int argc, char **argv) {
    /* A rank that is no MPI program at all. */
    const char *rank = getenv("HPVM_RANK");
    if (is(argc, argv, "left") && rank && strcmp(rank, "1") == 0)
        return 0;
    begin(&argc, &argv);
    int next = (world_rank + 1) % world_size, last = world_rank == world_size - 1;
    MPI_Request requests[4];
    if (is(argc, argv, "deadlock")) {
        recv_from(1 - world_rank, 7, MPI_COMM_WORLD);
    } else if (is(argc, argv, "cycle")) {
        recv_from(next, 5, MPI_COMM_WORLD);
    } else if (is(argc, argv, "sends")) {
        MPI_Send(large, sizeof large, MPI_CHAR, next, 3, MPI_COMM_WORLD);
    } else if (is(argc, argv, "barrier") || is(argc, argv, "barriers")) {
        for (int count = is(argc, argv, "barriers") ? 20 : 0; count > 0; count--)
            MPI_Barrier(MPI_COMM_WORLD);
        if (last)
            compute();
        MPI_Barrier(MPI_COMM_WORLD);
    } else if (is(argc, argv, "barrier_recv")) {
        if (last)
            recv_from(0, 9, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
    } else if (is(argc, argv, "bcasts")) {
        for (int count = 0; count < 10; count++)
            MPI_Bcast(values, 4, MPI_INT, 1, MPI_COMM_WORLD);
        if (world_rank == 1)
            sleep(3600);
        MPI_Bcast(values, 4, MPI_INT, 1, MPI_COMM_WORLD);
    } else if (is(argc, argv, "ibarrier")) {
        if (last)
            sleep(3600);
        MPI_Ibarrier(MPI_COMM_WORLD, requests);
        MPI_Wait(requests, MPI_STATUS_IGNORE);
    } else if (is(argc, argv, "finalize")) {
        MPI_Comm comm = half();
        if (world_rank != 1)
            MPI_Barrier(comm);
        if (world_rank == 0)
            recv_from(1, 2, MPI_COMM_WORLD);
    } else if (is(argc, argv, "left")) {
        recv_from(1, 4, MPI_COMM_WORLD);
    } else if (is(argc, argv, "ssend")) {
        if (world_rank == 0)
            MPI_Ssend(&value, 1, MPI_INT, 1, 7, MPI_COMM_WORLD);
        sleep(3600);
    } else if (is(argc, argv, "send")) {
        if (world_rank == 0)
            MPI_Send(large, sizeof large, MPI_CHAR, 1, 7, MPI_COMM_WORLD);
        compute();
    } else if (is(argc, argv, "waitall")) {
        for (int i = 0; i < 4; i++)
            MPI_Irecv(&values[i], 1, MPI_INT, next, i, MPI_COMM_WORLD, &requests[i]);
        MPI_Send(&value, 1, MPI_INT, next, 0, MPI_COMM_WORLD);
        MPI_Waitall(4, requests, MPI_STATUSES_IGNORE);
    } else if (is(argc, argv, "waitany")) {
        for (int i = 0; i < 3; i++)
            MPI_Irecv(&values[i], 1, MPI_INT, next, i, MPI_COMM_WORLD, &requests[i]);
        MPI_Waitany(3, requests, &value, MPI_STATUS_IGNORE);
    } else if (is(argc, argv, "persistent")) {
        MPI_Recv_init(&value, 1, MPI_INT, next, 8, MPI_COMM_WORLD, requests);
        MPI_Start(requests);
        MPI_Wait(requests, MPI_STATUS_IGNORE);
    } else if (is(argc, argv, "probe")) {
        MPI_Probe(MPI_ANY_SOURCE, 6, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (is(argc, argv, "test") || is(argc, argv, "test_and_compute")) {
        int work = is(argc, argv, "test") ? 0 : 1000000, done = 0;
        MPI_Irecv(&value, 1, MPI_INT, next, 7, MPI_COMM_WORLD, requests);
        while (!done) {
            MPI_Test(requests, &done, MPI_STATUS_IGNORE);
            for (volatile int count = 0; count < work; count++)
                ;
        }
    } else if (is(argc, argv, "iprobe")) {
        for (int found = 0; !found;)
            MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, MPI_STATUS_IGNORE);
    } else if (is(argc, argv, "half")) {
        MPI_Comm comm = half();
        int me, size;
        MPI_Comm_rank(comm, &me);
        MPI_Comm_size(comm, &size);
        recv_from((me + 1) % size, 7, comm);
    } else if (is(argc, argv, "bridge")) {
        MPI_Comm comm = between_halves();
        int me;
        MPI_Comm_rank(comm, &me);
        recv_from(me, 7, comm);
    } else if (is(argc, argv, "self")) {
        if (world_rank == 0)
            MPI_Ssend(&value, 1, MPI_INT, 0, 7, MPI_COMM_SELF);
        recv_from(world_rank, 1, MPI_COMM_WORLD);
    } else if (is(argc, argv, "stopped")) {
        if (last)
            raise(SIGSTOP);
        recv_from(world_size - 1, 7, MPI_COMM_WORLD);
    }
    MPI_Finalize();
    return 0;
}
