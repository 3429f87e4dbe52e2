/* A synchronous send completes only once its receive has started (MPI 5.0 section 3.4), however small it is. */
#include "check.h"

enum { DATA = 1, GO = 2 };
static const int sizes[] = {0, 8, 1000, 100000, 2000000};

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *buffer = get_memory(2000000);
    for (int k = 0; k < 5; k++) {
        int n = sizes[k];
        if (world_rank == 0) {
            MPI_Request request;
            int done = 0;
            fill_pattern(buffer, (size_t)n, (unsigned)k);
            OK(MPI_Issend(buffer, n, MPI_BYTE, 1, DATA, MPI_COMM_WORLD, &request));
            for (int i = 0; i < 1000 && !done; i++)
                OK(MPI_Test(&request, &done, MPI_STATUS_IGNORE));
            CHECK_MSG(!done, "a synchronous send of %d bytes completed before its receive", n);
            OK(MPI_Send(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD));
            OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        } else if (world_rank == 1) {
            /* Probing starts no receive either. */
            OK(MPI_Probe(0, DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            OK(MPI_Recv(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            OK(MPI_Recv(buffer, n, MPI_BYTE, 0, DATA, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            CHECK_PATTERN(buffer, (size_t)n, k);
        }
    }
    free(buffer);
    return finish();
}
