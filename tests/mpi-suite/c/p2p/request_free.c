/* An active request may be freed; the operation completes all the same (MPI 5.0 section 3.7.3). */
#include "check.h"

enum { N = 50, LARGE = 300000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    int size = 0;
    int *out = get_memory(LARGE * sizeof(int)), *in = get_memory(LARGE * sizeof(int));
    for (int i = 0; i < LARGE; i++)
        out[i] = i * 3;
    for (int k = 0; k < N; k++) {
        size = k % 5 == 4 ? LARGE : k + 1;
        if (world_rank == 0) {
            MPI_Request request;
            if (k % 2)
                OK(MPI_Issend(out, size, MPI_INT, 1, k, MPI_COMM_WORLD, &request));
            else
                OK(MPI_Isend(out, size, MPI_INT, 1, k, MPI_COMM_WORLD, &request));
            OK(MPI_Request_free(&request));
            CHECK(request == MPI_REQUEST_NULL);
        } else if (world_rank == 1) {
            memset(in, 0, LARGE * sizeof(int));
            OK(MPI_Recv(in, size, MPI_INT, 0, k, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            EQ(in[0], 0);
            EQ(in[size - 1], (size - 1) * 3);
        }
    }
    /* A persistent send freed while active. */
    if (world_rank == 0) {
        MPI_Request request;
        OK(MPI_Send_init(out, LARGE, MPI_INT, 1, N, MPI_COMM_WORLD, &request));
        OK(MPI_Start(&request));
        OK(MPI_Request_free(&request));
    } else if (world_rank == 1) {
        memset(in, 0, LARGE * sizeof(int));
        OK(MPI_Recv(in, LARGE, MPI_INT, 0, N, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        EQ(in[LARGE - 1], (LARGE - 1) * 3);
    }
    /* Only now may the sender's buffer go away: the receiver has said that all arrived. */
    OK(MPI_Barrier(MPI_COMM_WORLD));
    free(out);
    free(in);
    return finish();
}
