/* Comm_create (collective over all) and Comm_create_group (over the members only), several disjoint groups at once
 * (MPI 5.0 section 7.4.2). */
#include "check.h"

static void rank_sum(MPI_Comm comm, int wanted_size, int wanted_sum) {
    int size = -1, sum = -1;
    OK(MPI_Comm_size(comm, &size));
    EQ(size, wanted_size);
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, comm));
    EQ(sum, wanted_sum);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Group world, part, empty;
    MPI_Comm comm;
    int *ranks = get_memory((size_t)world_size * sizeof(int)), n = 0, sum = 0, rank;
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    /* the even ranks, backwards */
    for (int r = (world_size - 1) / 2 * 2; r >= 0; r -= 2) {
        ranks[n++] = r;
        sum += r;
    }
    OK(MPI_Group_incl(world, n, ranks, &part));
    OK(MPI_Comm_create(MPI_COMM_WORLD, part, &comm));
    CHECK((comm == MPI_COMM_NULL) == (world_rank % 2 == 1));
    if (comm != MPI_COMM_NULL) {
        OK(MPI_Comm_rank(comm, &rank));
        EQ(rank, n - 1 - world_rank / 2);
        rank_sum(comm, n, sum);
        OK(MPI_Comm_free(&comm));
        /* Only the members call: rank 1 takes no part. Two with different tags, then one from the other. */
        MPI_Comm first, second, inner;
        OK(MPI_Comm_create_group(MPI_COMM_WORLD, part, 11, &first));
        OK(MPI_Comm_create_group(MPI_COMM_WORLD, part, 12, &second));
        rank_sum(first, n, sum);
        rank_sum(second, n, sum);
        MPI_Group members;
        OK(MPI_Comm_group(first, &members));
        OK(MPI_Comm_create_group(first, members, 0, &inner));
        rank_sum(inner, n, sum);
        OK(MPI_Group_free(&members));
        OK(MPI_Comm_free(&first));
        OK(MPI_Comm_free(&second));
        OK(MPI_Comm_free(&inner));
    }
    OK(MPI_Group_free(&part));
    /* One call, disjoint groups: each gets its own. */
    int half = world_size / 2, low = world_rank < half;
    int range[1][3] = {{low ? 0 : half, low ? half - 1 : world_size - 1, 1}};
    OK(MPI_Group_range_incl(world, 1, range, &part));
    OK(MPI_Comm_create(MPI_COMM_WORLD, part, &comm));
    sum = low ? half * (half - 1) / 2 : world_size * (world_size - 1) / 2 - half * (half - 1) / 2;
    rank_sum(comm, low ? half : world_size - half, sum);
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_create_group(MPI_COMM_WORLD, part, 5, &comm));
    rank_sum(comm, low ? half : world_size - half, sum);
    OK(MPI_Comm_free(&comm));
    OK(MPI_Group_free(&part));
    /* nobody */
    OK(MPI_Group_excl(world, 0, NULL, &part));
    OK(MPI_Group_difference(world, part, &empty));
    OK(MPI_Comm_create(MPI_COMM_WORLD, empty, &comm));
    CHECK(comm == MPI_COMM_NULL);
    OK(MPI_Group_free(&part));
    OK(MPI_Group_free(&world));
    free(ranks);
    return finish();
}
