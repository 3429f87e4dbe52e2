/* Same ranks, same tags, other communicators: nothing crosses over, and the order of one does not bind the other. */
#include "check.h"

enum { COMMS = 12 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    MPI_Comm comm[COMMS];
    comm[0] = MPI_COMM_WORLD;
    for (int c = 1; c < COMMS; c++)
        OK(MPI_Comm_dup(comm[c / 2], &comm[c]));
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    int out[COMMS][2], in[COMMS][2], flag;
    MPI_Request request[COMMS];
    for (int c = 0; c < COMMS; c++) {
        out[c][0] = world_rank;
        out[c][1] = c;
        OK(MPI_Isend(out[c], 2, MPI_INT, right, 7, comm[c], &request[c]));
    }
    for (int c = COMMS - 1; c >= 0; c--) {
        MPI_Status status;
        OK(MPI_Recv(in[c], 2, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, comm[c], &status));
        EQ(status.MPI_SOURCE, left);
        EQ(in[c][0], left);
        EQ(in[c][1], c);
        OK(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm[c], &flag, MPI_STATUS_IGNORE));
        CHECK(!flag);
    }
    OK(MPI_Waitall(COMMS, request, MPI_STATUSES_IGNORE));
    for (int c = 1; c < COMMS; c++)
        OK(MPI_Comm_free(&comm[c]));
    return finish();
}
