/* Disconnect waits for what is pending; the parent of a program that was not spawned is null; a communicator's group
 * survives it. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm comm, parent;
    MPI_Group group;
    int size = 0;
    OK(MPI_Comm_get_parent(&parent));
    CHECK(parent == MPI_COMM_NULL);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    OK(MPI_Comm_group(comm, &group));
    int got = -1, right = (world_rank + 1) % world_size;
    MPI_Request request[2];
    OK(MPI_Irecv(&got, 1, MPI_INT, MPI_ANY_SOURCE, 0, comm, &request[0]));
    OK(MPI_Isend(&world_rank, 1, MPI_INT, right, 0, comm, &request[1]));
    OK(MPI_Waitall(2, request, MPI_STATUSES_IGNORE));
    OK(MPI_Comm_disconnect(&comm));
    CHECK(comm == MPI_COMM_NULL);
    EQ(got, (world_rank + world_size - 1) % world_size);
    OK(MPI_Group_size(group, &size));
    EQ(size, world_size);
    OK(MPI_Group_free(&group));
    return finish();
}
