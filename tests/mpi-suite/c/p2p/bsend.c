/* Buffered sends: attach and detach, the space a message may take, a full buffer, delivery at detach and at the end
 * (MPI 5.0 section 3.6). */
#include "check.h"

enum { MESSAGES = 10, INTS = 1000 };

static int packed_size(int ints) {
    int size = 0;
    OK(MPI_Pack_size(ints, MPI_INT, MPI_COMM_WORLD, &size));
    return size + MPI_BSEND_OVERHEAD;
}

/* The space the standard promises to be enough is enough; detach waits until all is delivered. */
static void just_enough(void) {
    int size = MESSAGES * packed_size(INTS), detached_size = 0;
    char *buffer = get_memory((size_t)size), *detached = NULL;
    int *data = get_memory(INTS * sizeof(int));
    OK(MPI_Buffer_attach(buffer, size));
    if (world_rank == 0) {
        for (int k = 0; k < MESSAGES; k++) {
            for (int i = 0; i < INTS; i++)
                data[i] = k * INTS + i;
            OK(MPI_Bsend(data, INTS, MPI_INT, 1, k, MPI_COMM_WORLD));
        }
    } else if (world_rank == 1) {
        for (int k = MESSAGES - 1; k >= 0; k--) {
            OK(MPI_Recv(data, INTS, MPI_INT, 0, k, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            for (int i = 0; i < INTS; i++)
                if (data[i] != k * INTS + i) {
                    CHECK_FAILED("message %d wrong at %d", k, i);
                    break;
                }
        }
    }
    OK(MPI_Buffer_detach(&detached, &detached_size));
    CHECK(detached == buffer);
    EQ(detached_size, size);
    memset(buffer, 0xFF, (size_t)size);
    free(buffer);
    free(data);
}

/* Used again and again, the space comes back. */
static void reused(void) {
    int size = 2 * packed_size(INTS), detached_size;
    char *buffer = get_memory((size_t)size), *detached;
    int *data = get_memory(INTS * sizeof(int)), answer;
    OK(MPI_Buffer_attach(buffer, size));
    for (int k = 0; k < 200; k++) {
        if (world_rank == 0) {
            data[0] = k;
            OK(MPI_Bsend(data, INTS, MPI_INT, 1, 7, MPI_COMM_WORLD));
            OK(MPI_Recv(&answer, 1, MPI_INT, 1, 8, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            EQ(answer, k);
        } else if (world_rank == 1) {
            OK(MPI_Recv(data, INTS, MPI_INT, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            OK(MPI_Bsend(data, 1, MPI_INT, 0, 8, MPI_COMM_WORLD));
        }
    }
    OK(MPI_Buffer_detach(&detached, &detached_size));
    free(buffer);
    free(data);
}

/* A message of nothing that has to wait behind others arrives, too. */
static void empty_behind_others(void) {
    enum { OTHERS = 2000 };
    int size = packed_size(1), detached_size, value = 1;
    char *buffer = get_memory((size_t)size), *detached;
    static MPI_Request request[OTHERS];
    OK(MPI_Buffer_attach(buffer, size));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    if (world_rank == 0) {
        for (int k = 0; k < OTHERS; k++)
            OK(MPI_Isend(&value, 1, MPI_INT, 1, 3, MPI_COMM_WORLD, &request[k]));
        OK(MPI_Bsend(NULL, 0, MPI_INT, 1, 4, MPI_COMM_WORLD));
        OK(MPI_Waitall(OTHERS, request, MPI_STATUSES_IGNORE));
    } else if (world_rank == 1) {
        double start = MPI_Wtime();
        while (MPI_Wtime() - start < 0.1)
            continue;
        OK(MPI_Recv(NULL, 0, MPI_INT, 0, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (int k = 0; k < OTHERS; k++)
            OK(MPI_Recv(&value, 1, MPI_INT, 0, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    }
    OK(MPI_Buffer_detach(&detached, &detached_size));
    free(buffer);
}

/* Too much, or nothing attached, is an error that leaves everything else usable. */
static void full(void) {
    int size = packed_size(10), detached_size, value = 3;
    char *buffer = get_memory((size_t)size), *detached;
    int *data = calloc(INTS, sizeof(int));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    FAILS(MPI_Bsend(data, INTS, MPI_INT, world_rank, 1, MPI_COMM_WORLD), MPI_ERR_BUFFER);
    OK(MPI_Buffer_attach(buffer, size));
    FAILS(MPI_Bsend(data, INTS, MPI_INT, world_rank, 1, MPI_COMM_WORLD), MPI_ERR_BUFFER);
    OK(MPI_Bsend(&value, 1, MPI_INT, world_rank, 1, MPI_COMM_WORLD));
    value = 0;
    OK(MPI_Recv(&value, 1, MPI_INT, world_rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EQ(value, 3);
    OK(MPI_Buffer_detach(&detached, &detached_size));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL));
    free(buffer);
    free(data);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    just_enough();
    reused();
    empty_behind_others();
    full();
    OK(MPI_Barrier(MPI_COMM_WORLD));
    /* The last messages are delivered by MPI_Finalize, which detaches (section 11.2.2). */
    static char last[4 * (100 + 2048)];
    OK(MPI_Buffer_attach(last, sizeof last));
    char text[100] = "delivered by finalize";
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    OK(MPI_Bsend(text, 100, MPI_CHAR, right, 9, MPI_COMM_WORLD));
    memset(text, 0, sizeof text);
    OK(MPI_Recv(text, 100, MPI_CHAR, left, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EQ_STR(text, "delivered by finalize");
    return finish();
}
