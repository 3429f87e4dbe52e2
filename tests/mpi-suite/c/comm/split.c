/* Split by color and key, ties by rank, MPI_UNDEFINED, split by node (MPI 5.0 section 7.4.2). */
#include "check.h"

static void size_and_rank(MPI_Comm comm, int size, int rank) {
    int seen = -1;
    OK(MPI_Comm_size(comm, &seen));
    EQ(seen, size);
    OK(MPI_Comm_rank(comm, &seen));
    EQ(seen, rank);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm comm, again;
    int members, value;
    /* reversed order inside each color */
    for (int colors = 1; colors <= world_size; colors++) {
        int color = world_rank % colors;
        OK(MPI_Comm_split(MPI_COMM_WORLD, color, -world_rank, &comm));
        members = (world_size - color + colors - 1) / colors;
        size_and_rank(comm, members, members - 1 - world_rank / colors);
        value = world_rank;
        OK(MPI_Bcast(&value, 1, MPI_INT, 0, comm));
        EQ(value, color + (members - 1) * colors);
        OK(MPI_Comm_free(&comm));
    }
    /* equal keys keep the order of the old ranks; huge and negative keys */
    OK(MPI_Comm_split(MPI_COMM_WORLD, 5, 42, &comm));
    size_and_rank(comm, world_size, world_rank);
    int result = -1;
    OK(MPI_Comm_compare(comm, MPI_COMM_WORLD, &result));
    EQ(result, MPI_CONGRUENT);
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_split(MPI_COMM_WORLD, 2147483647, world_rank % 2 ? -2147483647 : 2147483647, &comm));
    int odd = world_size / 2;
    size_and_rank(comm, world_size, world_rank % 2 ? world_rank / 2 : odd + world_rank / 2);
    OK(MPI_Comm_free(&comm));
    /* out of it */
    OK(MPI_Comm_split(MPI_COMM_WORLD, world_rank == 0 ? MPI_UNDEFINED : 1, 0, &comm));
    if (world_rank == 0)
        CHECK(comm == MPI_COMM_NULL);
    else {
        size_and_rank(comm, world_size - 1, world_rank - 1);
        /* a split of a split */
        OK(MPI_Comm_split(comm, world_rank / 2, 0, &again));
        OK(MPI_Comm_free(&comm));
        OK(MPI_Allreduce(&world_rank, &value, 1, MPI_INT, MPI_MAX, again));
        CHECK(value / 2 == world_rank / 2);
        OK(MPI_Comm_free(&again));
    }
    /* All ranks of a job on one machine share memory; MPI_UNDEFINED stays out here too. */
    OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, world_rank, MPI_INFO_NULL, &comm));
    OK(MPI_Comm_size(comm, &members));
    CHECK(members >= 1 && members <= world_size);
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_split_type(MPI_COMM_WORLD, world_rank ? MPI_COMM_TYPE_SHARED : MPI_UNDEFINED, 0, MPI_INFO_NULL,
                           &comm));
    CHECK((comm == MPI_COMM_NULL) == (world_rank == 0));
    if (comm != MPI_COMM_NULL)
        OK(MPI_Comm_free(&comm));
    return finish();
}
