/* Intercommunicators: creation over a peer communicator, point-to-point, dup, split, create, merge in both orders
 * (MPI 5.0 section 7.6). */
#include "check.h"

static MPI_Comm local;
static int group, first;

static void exchange(MPI_Comm inter) {
    int rank, size, remote, flag = 0;
    OK(MPI_Comm_test_inter(inter, &flag));
    CHECK(flag);
    OK(MPI_Comm_rank(inter, &rank));
    OK(MPI_Comm_size(inter, &size));
    OK(MPI_Comm_remote_size(inter, &remote));
    /* Ranks name the other group: everyone of group 0 sends to everyone of group 1, and back. */
    for (int direction = 0; direction < 2; direction++) {
        for (int r = 0; r < remote; r++) {
            int value = rank * 100 + r;
            MPI_Status status;
            if (group == direction) {
                OK(MPI_Ssend(&value, 1, MPI_INT, r, 3, inter));
            } else {
                OK(MPI_Recv(&value, 1, MPI_INT, r, MPI_ANY_TAG, inter, &status));
                EQ(value, r * 100 + rank);
                EQ(status.MPI_SOURCE, r);
            }
        }
    }
}

static void merged(MPI_Comm inter, int high) {
    MPI_Comm intra;
    int rank, size, flag = 1, expected;
    OK(MPI_Intercomm_merge(inter, high, &intra));
    OK(MPI_Comm_test_inter(intra, &flag));
    CHECK(!flag);
    OK(MPI_Comm_rank(intra, &rank));
    OK(MPI_Comm_size(intra, &size));
    EQ(size, world_size);
    int mine, local_size;
    OK(MPI_Comm_rank(local, &mine));
    OK(MPI_Comm_size(local, &local_size));
    expected = high ? world_size - local_size + mine : mine;
    EQ(rank, expected);
    int sum = -1;
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, intra));
    EQ(sum, world_size * (world_size - 1) / 2);
    OK(MPI_Comm_free(&intra));
}

static void remote_group(MPI_Comm inter) {
    MPI_Group theirs, world;
    int size, remote, ours = -1, there = 0;
    OK(MPI_Comm_remote_group(inter, &theirs));
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Group_size(theirs, &size));
    OK(MPI_Comm_remote_size(inter, &remote));
    EQ(size, remote);
    OK(MPI_Group_translate_ranks(theirs, 1, &there, world, &ours));
    EQ(ours, group ? 0 : first);
    OK(MPI_Group_free(&theirs));
    OK(MPI_Group_free(&world));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    MPI_Comm inter, copy, part;
    int result = -1;
    first = world_size / 3 > 0 ? world_size / 3 : 1;
    group = world_rank >= first;
    OK(MPI_Comm_split(MPI_COMM_WORLD, group, world_rank, &local));
    OK(MPI_Intercomm_create(local, 0, MPI_COMM_WORLD, group ? 0 : first, 99, &inter));
    exchange(inter);
    remote_group(inter);
    OK(MPI_Comm_dup(inter, &copy));
    OK(MPI_Comm_compare(inter, copy, &result));
    EQ(result, MPI_CONGRUENT);
    exchange(copy);
    merged(inter, group);
    merged(inter, !group);
    OK(MPI_Comm_free(&inter));
    exchange(copy);
    /* split into pairs of halves: the first members of both sides, and the others where there are any */
    int rank, size, remote, others;
    OK(MPI_Comm_rank(copy, &rank));
    OK(MPI_Comm_size(copy, &size));
    OK(MPI_Comm_remote_size(copy, &remote));
    OK(MPI_Comm_split(copy, rank == 0 ? 1 : 2, 0, &part));
    if (rank == 0) {
        exchange(part);
        OK(MPI_Comm_free(&part));
    } else if (part != MPI_COMM_NULL) {
        OK(MPI_Comm_remote_size(part, &others));
        EQ(others, remote - 1);
        if (others > 0)
            exchange(part);
        OK(MPI_Comm_free(&part));
    }
    /* create: all of one side, the first of the other */
    MPI_Group mine, chosen;
    int zero = 0;
    OK(MPI_Comm_group(copy, &mine));
    if (group)
        OK(MPI_Group_incl(mine, 1, &zero, &chosen));
    else
        chosen = mine;
    OK(MPI_Comm_create(copy, chosen, &part));
    CHECK((part == MPI_COMM_NULL) == (group && rank > 0));
    if (part != MPI_COMM_NULL) {
        exchange(part);
        OK(MPI_Comm_free(&part));
    }
    if (group)
        OK(MPI_Group_free(&chosen));
    OK(MPI_Group_free(&mine));
    OK(MPI_Comm_free(&copy));
    OK(MPI_Comm_free(&local));
    return finish();
}
