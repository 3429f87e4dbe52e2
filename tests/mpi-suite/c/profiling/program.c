/* An ordinary program: 10 messages from rank 0 to rank 1, 3 back, and collectives, which must not be counted as the
 * user's sends: the library never calls its own MPI_ names. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    int data[5] = {0};
    for (int i = 0; i < 10; i++)
        if (world_rank == 0)
            OK(MPI_Send(data, 5, MPI_INT, 1, 0, MPI_COMM_WORLD));
        else if (world_rank == 1)
            OK(MPI_Recv(data, 5, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < 3; i++)
        if (world_rank == 1)
            OK(MPI_Send(data, 1, MPI_INT, 0, 0, MPI_COMM_WORLD));
        else if (world_rank == 0)
            OK(MPI_Recv(data, 1, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_Sendrecv_replace(data, 5, MPI_INT, world_rank, 1, world_rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_Barrier(MPI_COMM_WORLD));
    OK(MPI_Bcast(data, 5, MPI_INT, 0, MPI_COMM_WORLD));
    return finish();
}
