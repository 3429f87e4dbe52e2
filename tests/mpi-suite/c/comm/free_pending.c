/* A communicator freed while operations on it are under way lives on until they are done (MPI 5.0 section 7.4.3). */
#include "check.h"

enum { LARGE = 200000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    int *out = get_memory(LARGE * sizeof(int)), *in = get_memory(LARGE * sizeof(int));
    for (int turn = 0; turn < 30; turn++) {
        int n = turn % 3 == 2 ? LARGE : 1 + turn, sum = -1;
        MPI_Comm comm, newer;
        MPI_Request request[3];
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
        for (int i = 0; i < n; i++)
            out[i] = world_rank + i + turn;
        if (turn % 2) {
            OK(MPI_Irecv(in, n, MPI_INT, left, 4, comm, &request[0]));
            OK(MPI_Isend(out, n, MPI_INT, right, 4, comm, &request[1]));
        } else {
            OK(MPI_Isend(out, n, MPI_INT, right, 4, comm, &request[1]));
            OK(MPI_Irecv(in, n, MPI_INT, left, 4, comm, &request[0]));
        }
        OK(MPI_Iallreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, comm, &request[2]));
        OK(MPI_Comm_free(&comm));
        CHECK(comm == MPI_COMM_NULL);
        /* A new one at once must not take over the old one's messages. */
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &newer));
        int flag = 0;
        OK(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, newer, &flag, MPI_STATUS_IGNORE));
        CHECK(!flag);
        OK(MPI_Waitall(3, request, MPI_STATUSES_IGNORE));
        EQ(in[0], left + turn);
        EQ(in[n - 1], left + n - 1 + turn);
        EQ(sum, world_size * (world_size - 1) / 2);
        OK(MPI_Comm_free(&newer));
    }
    free(out);
    free(in);
    return finish();
}
