/* Messages to oneself, on MPI_COMM_WORLD and MPI_COMM_SELF: posted, waiting, every mode, probed, cancelled. */
#include "check.h"

static const int sizes[] = {0, 1, 8, 500, 5000, 65537, 2000000};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGEST = 2000000 };

static unsigned char *out, *in;

static void one_size(MPI_Comm comm, int me, int n, unsigned seed) {
    MPI_Request request, second;
    MPI_Status status;
    int flag, count;
    fill_pattern(out, (size_t)n, seed);
    /* receive first, then each mode */
    for (int mode = 0; mode < 4; mode++) {
        memset(in, 0, (size_t)n);
        OK(MPI_Irecv(in, n, MPI_BYTE, me, 1, comm, &request));
        switch (mode) {
        case 0: OK(MPI_Send(out, n, MPI_BYTE, me, 1, comm)); break;
        case 1: OK(MPI_Ssend(out, n, MPI_BYTE, me, 1, comm)); break;
        case 2: OK(MPI_Rsend(out, n, MPI_BYTE, me, 1, comm)); break;
        case 3: OK(MPI_Bsend(out, n, MPI_BYTE, me, 1, comm)); break;
        }
        OK(MPI_Wait(&request, &status));
        EQ(status.MPI_SOURCE, me);
        CHECK_PATTERN(in, (size_t)n, seed);
    }
    /* send first; a buffered send must pass without its receive */
    memset(in, 0, (size_t)n);
    OK(MPI_Bsend(out, n, MPI_BYTE, me, 2, comm));
    OK(MPI_Isend(out, n, MPI_BYTE, me, 3, comm, &request));
    OK(MPI_Issend(out, n, MPI_BYTE, me, 4, comm, &second));
    OK(MPI_Test(&second, &flag, MPI_STATUS_IGNORE));
    CHECK(!flag);
    OK(MPI_Probe(MPI_ANY_SOURCE, 4, comm, &status));
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, n);
    for (int tag = 4; tag >= 2; tag--) {
        memset(in, 0, (size_t)n);
        OK(MPI_Recv(in, n, MPI_BYTE, MPI_ANY_SOURCE, tag, comm, &status));
        CHECK_PATTERN(in, (size_t)n, seed);
    }
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&second, MPI_STATUS_IGNORE));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int attached_size = 2 * (LARGEST + MPI_BSEND_OVERHEAD), size;
    void *attached = get_memory((size_t)attached_size), *detached;
    out = get_memory(LARGEST);
    in = get_memory(LARGEST);
    OK(MPI_Buffer_attach(attached, attached_size));
    for (int k = 0; k < SIZES; k++) {
        one_size(MPI_COMM_WORLD, world_rank, sizes[k], (unsigned)(world_rank * 100 + k));
        one_size(MPI_COMM_SELF, 0, sizes[k], (unsigned)(world_rank * 100 + 50 + k));
    }
    OK(MPI_Buffer_detach(&detached, &size));
    free(attached);
    free(out);
    free(in);
    return finish();
}
