/* Wrong arguments of the group functions raise an error and leave the program running. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    /* Errors without a communicator go to MPI_COMM_SELF's handler (MPI 5.0 section 9.3). */
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    MPI_Group world, group = MPI_GROUP_NULL, freed;
    int n = -1, ranks[2] = {0, 0};
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));

    FAILS(MPI_Group_size(MPI_GROUP_NULL, &n), MPI_ERR_GROUP);
    FAILS(MPI_Group_rank(MPI_GROUP_NULL, &n), MPI_ERR_GROUP);
    FAILS(MPI_Group_compare(world, MPI_GROUP_NULL, &n), MPI_ERR_GROUP);
    FAILS(MPI_Group_union(MPI_GROUP_NULL, world, &group), MPI_ERR_GROUP);
    FAILS(MPI_Group_free(&group), MPI_ERR_GROUP);
    FAILS(MPI_Group_size(world, NULL), MPI_ERR_ARG);

    FAILS(MPI_Group_incl(world, 2, ranks, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_excl(world, 2, ranks, &group), MPI_ERR_RANK);
    ranks[1] = world_size;
    FAILS(MPI_Group_incl(world, 2, ranks, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_excl(world, 2, ranks, &group), MPI_ERR_RANK);
    ranks[1] = -1;
    FAILS(MPI_Group_incl(world, 2, ranks, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_incl(world, -1, ranks, &group), MPI_ERR_ARG);
    FAILS(MPI_Group_translate_ranks(world, 2, ranks, world, ranks), MPI_ERR_RANK);
    FAILS(MPI_Group_translate_ranks(MPI_GROUP_EMPTY, 1, ranks, world, ranks), MPI_ERR_RANK);

    int endless[1][3] = {{0, world_size - 1, 0}}, twice[2][3] = {{0, 1, 1}, {1, 0, -1}};
    int beyond[1][3] = {{0, world_size, 1}}, negative[1][3] = {{-1, 0, 1}};
    FAILS(MPI_Group_range_incl(world, 1, endless, &group), MPI_ERR_ARG);
    FAILS(MPI_Group_range_excl(world, 1, endless, &group), MPI_ERR_ARG);
    FAILS(MPI_Group_range_incl(world, 2, twice, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_range_excl(world, 2, twice, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_range_incl(world, 1, beyond, &group), MPI_ERR_RANK);
    FAILS(MPI_Group_range_incl(world, 1, negative, &group), MPI_ERR_RANK);
    CHECK(group == MPI_GROUP_NULL);

    /* A freed handle is found out. */
    OK(MPI_Group_excl(world, 1, ranks, &group));
    freed = group;
    OK(MPI_Group_free(&group));
    FAILS(MPI_Group_size(freed, &n), MPI_ERR_GROUP);
    FAILS(MPI_Group_free(&freed), MPI_ERR_GROUP);
    OK(MPI_Group_free(&world));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
