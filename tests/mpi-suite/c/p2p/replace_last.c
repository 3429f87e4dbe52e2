/* MPI_Finalize right after a send that left at once without a round of progress: there is nothing left to wait for. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 1; world_rank == 0 && i < world_size; i++) {
        MPI_Message message;
        int number = -1;
        OK(MPI_Mprobe(MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE));
        OK(MPI_Mrecv(&number, 1, MPI_INT, &message, MPI_STATUS_IGNORE));
        EQ(number, 1);
    }
    if (world_rank > 0)
        OK(MPI_Send(&(int){1}, 1, MPI_INT, 0, 0, MPI_COMM_WORLD));
    int all = 0;
    OK(MPI_Allreduce(&check_errors, &all, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    int number = world_rank;
    OK(MPI_Sendrecv_replace(&number, 1, MPI_INT, right, 0, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    EQ(number, left);
    OK(MPI_Finalize());
    if (world_rank == 0 && all + check_errors == 0)
        puts("No Errors");
    return all + check_errors != 0;
}
