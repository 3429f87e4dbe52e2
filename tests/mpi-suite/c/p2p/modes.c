/* The four send modes, blocking and nonblocking, met by posted and by late receives (MPI 5.0 sections 3.4, 3.7). */
#include "check.h"

enum { STANDARD, SYNCHRONOUS, BUFFERED, READY, MODES };

static const int sizes[] = {0, 1, 8, 40, 48, 500, 4096, 20000, 65536, 300000, 1048577};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGEST = 1048577, GO = 9999 };

static void send_blocking(int mode, const void *buffer, int n, int tag) {
    switch (mode) {
    case STANDARD: OK(MPI_Send(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD)); break;
    case SYNCHRONOUS: OK(MPI_Ssend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD)); break;
    case BUFFERED: OK(MPI_Bsend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD)); break;
    case READY: OK(MPI_Rsend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD)); break;
    }
}

static void send_nonblocking(int mode, const void *buffer, int n, int tag) {
    MPI_Request request = MPI_REQUEST_NULL;
    switch (mode) {
    case STANDARD: OK(MPI_Isend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
    case SYNCHRONOUS: OK(MPI_Issend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
    case BUFFERED: OK(MPI_Ibsend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
    case READY: OK(MPI_Irsend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
    }
    CHECK(request != MPI_REQUEST_NULL);
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    CHECK(request == MPI_REQUEST_NULL);
}

/* The receive is posted before the sender is told to go. */
static void posted(int mode, int nonblocking, int n, int tag, unsigned char *buffer) {
    if (world_rank == 0) {
        OK(MPI_Recv(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        fill_pattern(buffer, (size_t)n, (unsigned)tag);
        (nonblocking ? send_nonblocking : send_blocking)(mode, buffer, n, tag);
        /* The buffer is the sender's again. */
        memset(buffer, 0xEE, (size_t)n);
    } else {
        MPI_Request request;
        memset(buffer, 0, (size_t)n);
        OK(MPI_Irecv(buffer, n, MPI_BYTE, 0, tag, MPI_COMM_WORLD, &request));
        OK(MPI_Send(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        CHECK_PATTERN(buffer, (size_t)n, tag);
    }
}

/* The receive comes after a message with another tag, so the first one waits unexpected. A blocking synchronous or
 * large standard send could not pass: those are started nonblocking. */
static void late(int mode, int n, int tag, unsigned char *buffer) {
    if (world_rank == 0) {
        MPI_Request request;
        fill_pattern(buffer, (size_t)n, (unsigned)tag);
        switch (mode) {
        case SYNCHRONOUS: OK(MPI_Issend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
        case BUFFERED: OK(MPI_Ibsend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
        default: OK(MPI_Isend(buffer, n, MPI_BYTE, 1, tag, MPI_COMM_WORLD, &request)); break;
        }
        OK(MPI_Send(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        memset(buffer, 0xEE, (size_t)n);
    } else {
        memset(buffer, 0, (size_t)n);
        OK(MPI_Recv(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        OK(MPI_Recv(buffer, n, MPI_BYTE, 0, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        CHECK_PATTERN(buffer, (size_t)n, tag);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *buffer = get_memory(LARGEST);
    int attached_size = 4 * (LARGEST + MPI_BSEND_OVERHEAD);
    void *attached = get_memory((size_t)attached_size), *detached = NULL;
    OK(MPI_Buffer_attach(attached, attached_size));
    int tag = 0;
    for (int s = 0; s < SIZES && world_rank < 2; s++)
        for (int mode = 0; mode < MODES; mode++) {
            posted(mode, 0, sizes[s], tag++, buffer);
            posted(mode, 1, sizes[s], tag++, buffer);
            if (mode != READY)
                late(mode, sizes[s], tag++, buffer);
        }
    int detached_size = 0;
    OK(MPI_Buffer_detach(&detached, &detached_size));
    CHECK(detached == attached);
    EQ(detached_size, attached_size);
    free(attached);
    free(buffer);
    return finish();
}
