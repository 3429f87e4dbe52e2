/* Both sides send before they receive: large nonblocking sends cross, and a large blocking send meets a posted
 * receive. Nothing may wait for anything but its match. */
#include "check.h"

enum { LARGEST = 3000000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *out = get_memory(LARGEST), *in = get_memory(LARGEST);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int n = 1; n <= LARGEST; n = n * 3 + 1) {
        MPI_Request request;
        fill_pattern(out, (size_t)n, (unsigned)world_rank);
        OK(MPI_Isend(out, n, MPI_BYTE, right, 1, MPI_COMM_WORLD, &request));
        OK(MPI_Recv(in, n, MPI_BYTE, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        CHECK_PATTERN(in, (size_t)n, left);
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));

        OK(MPI_Irecv(in, n, MPI_BYTE, left, 2, MPI_COMM_WORLD, &request));
        OK(MPI_Send(out, n, MPI_BYTE, right, 2, MPI_COMM_WORLD));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        CHECK_PATTERN(in, (size_t)n, left);

        /* A large send waits; small messages with another tag pass it in both directions. */
        int value = world_rank, got = -1;
        OK(MPI_Issend(out, n, MPI_BYTE, right, 3, MPI_COMM_WORLD, &request));
        for (int k = 0; k < 20; k++) {
            OK(MPI_Sendrecv(&value, 1, MPI_INT, right, 4, &got, 1, MPI_INT, left, 4, MPI_COMM_WORLD,
                            MPI_STATUS_IGNORE));
            EQ(got, left);
        }
        OK(MPI_Recv(in, n, MPI_BYTE, left, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        CHECK_PATTERN(in, (size_t)n, left);
    }
    free(out);
    free(in);
    return finish();
}
