/* MPI_Group_range_incl and MPI_Group_range_excl with every triplet over a small group (MPI 5.0 section 7.3.2). */
#include "check.h"

static MPI_Group world;

/* The ranks of the range, walked one by one; -1 if it is erroneous. */
static int walk(int first, int last, int stride, int *ranks) {
    int n = 0;
    if (stride == 0 || (first < last && stride < 0) || (first > last && stride > 0))
        return -1;
    for (int rank = first; stride > 0 ? rank <= last : rank >= last; rank += stride) {
        if (rank < 0 || rank >= world_size)
            return -1;
        ranks[n++] = rank;
    }
    return n;
}

static void check_ranks(MPI_Group group, int n, const int *wanted) {
    int size = -1, here[64], there[64];
    OK(MPI_Group_size(group, &size));
    EQ(size, n);
    for (int i = 0; i < n; i++)
        here[i] = i;
    OK(MPI_Group_translate_ranks(group, size == n ? n : 0, here, world, there));
    for (int i = 0; size == n && i < n; i++)
        EQ(there[i], wanted[i]);
    OK(MPI_Group_free(&group));
}

static void one_range(int first, int last, int stride) {
    int range[1][3] = {{first, last, stride}}, in[64], out[64], n_out = 0;
    int n_in = walk(first, last, stride, in);
    MPI_Group group;
    if (n_in < 0)
        return;
    OK(MPI_Group_range_incl(world, 1, range, &group));
    check_ranks(group, n_in, in);
    for (int rank = 0; rank < world_size; rank++) {
        int hit = 0;
        for (int i = 0; i < n_in; i++)
            hit |= in[i] == rank;
        if (!hit)
            out[n_out++] = rank;
    }
    OK(MPI_Group_range_excl(world, 1, range, &group));
    check_ranks(group, n_out, out);
}

static void several_ranges(void) {
    /* Even ranks backwards, then the odd ones forwards: everybody once. */
    int even_last = (world_size - 1) / 2 * 2;
    int ranges[2][3] = {{even_last, 0, -2}, {1, world_size - 1, 2}}, wanted[64], n = 0;
    int count = world_size > 1 ? 2 : 1;
    MPI_Group group;
    for (int rank = even_last; rank >= 0; rank -= 2)
        wanted[n++] = rank;
    for (int rank = 1; rank < world_size; rank += 2)
        wanted[n++] = rank;
    OK(MPI_Group_range_incl(world, count, ranges, &group));
    check_ranks(group, n, wanted);
    OK(MPI_Group_range_excl(world, count, ranges, &group));
    check_ranks(group, 0, wanted);
    OK(MPI_Group_range_incl(world, 0, NULL, &group));
    check_ranks(group, 0, wanted);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    for (int first = 0; first < world_size; first++)
        for (int last = 0; last < world_size; last++)
            for (int stride = -world_size - 1; stride <= world_size + 1; stride++)
                one_range(first, last, stride);
    several_ranges();
    OK(MPI_Group_free(&world));
    return finish();
}
