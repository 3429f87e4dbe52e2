/* What is made and freed, started and completed a million times over leaves nothing behind: the resident size stays flat.
 * The first argument is the number of rounds of the cheap operations; the dear ones do a tenth of it. */
#include "check.h"

#include <unistd.h>

/* Allocators keep some pages; a leak of 16 bytes a round shows from 70,000 rounds on. */
enum { GROWTH_KIB_MAX = 1024, BATCH = 16 };

static int right, left;

static long resident_kib(void) {
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%ld %ld", &pages, &resident) != 2)
        CHECK_FAILED("no /proc/self/statm");
    if (file)
        fclose(file);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void messages(long rounds) {
    MPI_Request requests[2];
    int out = 1, in = 0;
    for (long i = 0; i < rounds; i++) {
        OK(MPI_Irecv(&in, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]));
        OK(MPI_Isend(&out, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &requests[1]));
        OK(MPI_Wait(&requests[0], MPI_STATUS_IGNORE));
        OK(MPI_Wait(&requests[1], MPI_STATUS_IGNORE));
    }
}

/* Messages that come before their receives, in bursts. */
static void unexpected(long rounds) {
    int out[BATCH] = {0}, in = 0;
    MPI_Request requests[BATCH];
    for (long i = 0; i < rounds; i += BATCH) {
        for (int k = 0; k < BATCH; k++)
            OK(MPI_Isend(&out[k], 1, MPI_INT, right, k, MPI_COMM_WORLD, &requests[k]));
        for (int k = BATCH - 1; k >= 0; k--)
            OK(MPI_Recv(&in, 1, MPI_INT, left, k, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        OK(MPI_Waitall(BATCH, requests, MPI_STATUSES_IGNORE));
    }
}

static void large_messages(long rounds) {
    static char out[100000], in[100000];
    for (long i = 0; i < rounds / 10; i++)
        OK(MPI_Sendrecv(out, sizeof out, MPI_BYTE, right, 1, in, sizeof in, MPI_BYTE, left, 1, MPI_COMM_WORLD,
                        MPI_STATUS_IGNORE));
}

static void types(long rounds) {
    MPI_Datatype vector, outer;
    int data[64] = {0}, lengths[2] = {2, 3}, places[2] = {0, 7};
    for (long i = 0; i < rounds; i++) {
        OK(MPI_Type_vector(4, 1, 3, MPI_INT, &vector));
        OK(MPI_Type_indexed(2, lengths, places, vector, &outer));
        OK(MPI_Type_free(&vector));
        OK(MPI_Type_commit(&outer));
        if (i % 64 == 0)
            OK(MPI_Sendrecv(data, 0, outer, world_rank, 1, data, 0, outer, world_rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        OK(MPI_Type_free(&outer));
    }
}

static void comms(long rounds) {
    MPI_Comm comm;
    for (long i = 0; i < rounds / 10; i++) {
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
        OK(MPI_Comm_free(&comm));
    }
}

static void splits(long rounds) {
    MPI_Comm comm;
    for (long i = 0; i < rounds / 50; i++) {
        OK(MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, 0, &comm));
        OK(MPI_Barrier(comm));
        OK(MPI_Comm_free(&comm));
    }
}

static void persistent(long rounds) {
    MPI_Request requests[2];
    int out = 1, in = 0;
    OK(MPI_Recv_init(&in, 1, MPI_INT, left, 1, MPI_COMM_WORLD, &requests[0]));
    OK(MPI_Send_init(&out, 1, MPI_INT, right, 1, MPI_COMM_WORLD, &requests[1]));
    for (long i = 0; i < rounds / 10; i++) {
        OK(MPI_Startall(2, requests));
        OK(MPI_Waitall(2, requests, MPI_STATUSES_IGNORE));
    }
    OK(MPI_Request_free(&requests[0]));
    OK(MPI_Request_free(&requests[1]));
}

static void collectives(long rounds) {
    MPI_Request request;
    int value = 1, sum;
    for (long i = 0; i < rounds / 10; i++) {
        OK(MPI_Ibcast(&value, 1, MPI_INT, (int)(i % world_size), MPI_COMM_WORLD, &request));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        OK(MPI_Allreduce(&value, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    }
}

static void handler(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

static void small_objects(long rounds) {
    MPI_Group group, part;
    MPI_Info info;
    MPI_Errhandler errhandler;
    int keyval, first = 0;
    for (long i = 0; i < rounds / 10; i++) {
        OK(MPI_Comm_group(MPI_COMM_WORLD, &group));
        OK(MPI_Group_incl(group, 1, &first, &part));
        OK(MPI_Group_free(&group));
        OK(MPI_Group_free(&part));
        OK(MPI_Info_create(&info));
        OK(MPI_Info_set(info, "key", "value"));
        OK(MPI_Info_free(&info));
        OK(MPI_Comm_create_errhandler(handler, &errhandler));
        OK(MPI_Errhandler_free(&errhandler));
        OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &keyval, NULL));
        OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &first));
        OK(MPI_Comm_delete_attr(MPI_COMM_SELF, keyval));
        OK(MPI_Comm_free_keyval(&keyval));
    }
}

/* A tenth of the rounds first, so that tables have their size. */
static void measure(const char *name, void (*work)(long), long rounds) {
    work(rounds / 10);
    OK(MPI_Barrier(MPI_COMM_WORLD));
    long before = resident_kib();
    double start = MPI_Wtime();
    work(rounds);
    long growth = resident_kib() - before;
    if (world_rank == 0)
        printf("%s: %+ld KiB in %.1f s\n", name, growth, MPI_Wtime() - start);
    CHECK_MSG(growth <= GROWTH_KIB_MAX, "%s: the resident size grew by %ld KiB", name, growth);
    OK(MPI_Barrier(MPI_COMM_WORLD));
}

int main(int argc, char **argv) {
    long rounds = argc > 1 ? atol(argv[1]) : 1000000;
    begin(&argc, &argv);
    right = (world_rank + 1) % world_size;
    left = (world_rank + world_size - 1) % world_size;
    measure("isend, irecv, wait", messages, rounds);
    measure("unexpected messages", unexpected, rounds);
    measure("large messages", large_messages, rounds);
    measure("type create, commit, free", types, rounds);
    measure("comm dup, free", comms, rounds);
    measure("comm split, free", splits, rounds);
    measure("persistent start, wait", persistent, rounds);
    measure("ibcast, wait, allreduce", collectives, rounds);
    measure("groups, infos, error handlers, attributes", small_objects, rounds);
    return finish();
}
