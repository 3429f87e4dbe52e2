/* Groups of the predefined communicators, comparison, and freeing (MPI 5.0 section 7.3). */
#include "check.h"

static int size_of(MPI_Group group) {
    int size = -1;
    OK(MPI_Group_size(group, &size));
    return size;
}

static int rank_in(MPI_Group group) {
    int rank = -1;
    OK(MPI_Group_rank(group, &rank));
    return rank;
}

static int compare(MPI_Group a, MPI_Group b) {
    int result = -1;
    OK(MPI_Group_compare(a, b, &result));
    return result;
}

/* The group of the communicator with its ranks in reverse. */
static MPI_Group reverse(MPI_Group group) {
    MPI_Group reversed;
    int range[1][3] = {{size_of(group) - 1, 0, -1}};
    OK(MPI_Group_range_incl(group, 1, range, &reversed));
    return reversed;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Group world, again, self, reversed;
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Comm_group(MPI_COMM_WORLD, &again));
    OK(MPI_Comm_group(MPI_COMM_SELF, &self));
    EQ(size_of(world), world_size);
    EQ(rank_in(world), world_rank);
    EQ(size_of(self), 1);
    EQ(rank_in(self), 0);
    EQ(size_of(MPI_GROUP_EMPTY), 0);
    EQ(rank_in(MPI_GROUP_EMPTY), MPI_UNDEFINED);

    EQ(compare(world, world), MPI_IDENT);
    EQ(compare(world, again), MPI_IDENT);
    EQ(compare(MPI_GROUP_EMPTY, MPI_GROUP_EMPTY), MPI_IDENT);
    EQ(compare(world, MPI_GROUP_EMPTY), MPI_UNEQUAL);
    EQ(compare(world, self), world_size == 1 ? MPI_IDENT : MPI_UNEQUAL);
    reversed = reverse(world);
    EQ(rank_in(reversed), world_size - 1 - world_rank);
    EQ(compare(world, reversed), world_size == 1 ? MPI_IDENT : MPI_SIMILAR);
    EQ(compare(reversed, reversed), MPI_IDENT);

    /* Selecting nobody gives the empty group. */
    MPI_Group nobody;
    OK(MPI_Group_incl(world, 0, NULL, &nobody));
    EQ(compare(nobody, MPI_GROUP_EMPTY), MPI_IDENT);
    OK(MPI_Group_free(&nobody));
    CHECK(nobody == MPI_GROUP_NULL);
    OK(MPI_Group_difference(world, reversed, &nobody));
    EQ(compare(nobody, MPI_GROUP_EMPTY), MPI_IDENT);
    OK(MPI_Group_free(&nobody));

    /* Freeing one handle leaves others of the same group, and the communicator, alone. */
    OK(MPI_Group_free(&again));
    CHECK(again == MPI_GROUP_NULL);
    EQ(size_of(world), world_size);
    MPI_Comm copy;
    OK(MPI_Comm_create(MPI_COMM_WORLD, reversed, &copy));
    OK(MPI_Group_free(&reversed));
    int rank = -1;
    OK(MPI_Comm_rank(copy, &rank));
    EQ(rank, world_size - 1 - world_rank);
    OK(MPI_Comm_free(&copy));
    OK(MPI_Group_free(&self));
    OK(MPI_Group_free(&world));
    return finish();
}
