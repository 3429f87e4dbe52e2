/* Every collective that intercommunicators define: both groups, MPI_ROOT and MPI_PROC_NULL, groups of different sizes
 * (MPI 5.0 section 6.2.2 on). First argument: the form. */
#include "variants.h"

static MPI_Comm inter, local;
static int group, rank, size, remote;

static int value(int of_group, int of_rank, int i) {
    return of_group * 10000000 + of_rank * 100000 + i;
}

static void fill(int *at, int n) {
    for (int i = 0; i < n; i++)
        at[i] = value(group, rank, i);
}

static void compare(const char *what, const int *at, int n, int of_rank, int first) {
    for (int i = 0; i < n; i++)
        if (at[i] != value(1 - group, of_rank, first + i)) {
            CHECK_FAILED("%s of %d ints: %d at %d, expected %d", what, n, at[i], i,
                         value(1 - group, of_rank, first + i));
            return;
        }
}

/* The sum over the other group of element i. */
static int remote_sum(int i) {
    int sum = 0;
    for (int r = 0; r < remote; r++)
        sum += value(1 - group, r, i);
    return sum;
}

static void compare_sum(const char *what, const int *at, int n, int first) {
    for (int i = 0; i < n; i++)
        if (at[i] != remote_sum(first + i)) {
            CHECK_FAILED("%s of %d ints: %d at %d, expected %d", what, n, at[i], i, remote_sum(first + i));
            return;
        }
}

/* What a rank names as the root when `root` of group `roots` is it. */
static int root_argument(int roots, int root) {
    if (group != roots)
        return root;
    return rank == root ? MPI_ROOT : MPI_PROC_NULL;
}

static void rooted(int n, int roots, int root, int *in, int *out) {
    int argument = root_argument(roots, root), here = argument == MPI_ROOT, there = group != roots;
    fill(in, n);
    RUN(bcast, Bcast, in, n, MPI_INT, argument, inter);
    if (there)
        compare("bcast", in, n, root, 0);
    fill(in, n);
    RUN(reduce, Reduce, in, out, n, MPI_INT, MPI_SUM, argument, inter);
    if (here)
        compare_sum("reduce", out, n, 0);
    fill(in, n);
    RUN(gather, Gather, in, n, MPI_INT, out, n, MPI_INT, argument, inter);
    for (int r = 0; here && r < remote; r++)
        compare("gather", out + r * n, n, r, 0);
    fill(in, n * remote);
    RUN(scatter, Scatter, in, n, MPI_INT, out, n, MPI_INT, argument, inter);
    if (there)
        compare("scatter", out, n, root, rank * n);
    /* the v forms, blocks in reverse order */
    int counts[64], at[64];
    for (int r = 0; r < remote; r++) {
        counts[r] = n - r % 2;
        at[r] = (remote - 1 - r) * n;
    }
    fill(in, n);
    RUN(gatherv, Gatherv, in, n - rank % 2, MPI_INT, out, counts, at, MPI_INT, argument, inter);
    for (int r = 0; here && r < remote; r++)
        compare("gatherv", out + at[r], counts[r], r, 0);
    fill(in, n * remote);
    RUN(scatterv, Scatterv, in, counts, at, MPI_INT, out, n - rank % 2, MPI_INT, argument, inter);
    if (there)
        compare("scatterv", out, n - rank % 2, root, (size - 1 - rank) * n);
}

static void all_to_all(int n, int *in, int *out) {
    fill(in, n);
    RUN(allreduce, Allreduce, in, out, n, MPI_INT, MPI_SUM, inter);
    compare_sum("allreduce", out, n, 0);
    RUN(allgather, Allgather, in, n, MPI_INT, out, n, MPI_INT, inter);
    for (int r = 0; r < remote; r++)
        compare("allgather", out + r * n, n, r, 0);
    int counts[64], at[64], mine[64], from[64];
    for (int r = 0; r < remote; r++) {
        counts[r] = n - r % 2;
        at[r] = r * n;
        mine[r] = n - (rank + r) % 2;
        from[r] = (remote - 1 - r) * n;
    }
    RUN(allgatherv, Allgatherv, in, n - rank % 2, MPI_INT, out, counts, at, MPI_INT, inter);
    for (int r = 0; r < remote; r++)
        compare("allgatherv", out + at[r], counts[r], r, 0);
    fill(in, n * remote);
    RUN(alltoall, Alltoall, in, n, MPI_INT, out, n, MPI_INT, inter);
    for (int r = 0; r < remote; r++)
        compare("alltoall", out + r * n, n, r, rank * n);
    RUN(alltoallv, Alltoallv, in, mine, from, MPI_INT, out, mine, at, MPI_INT, inter);
    for (int r = 0; r < remote; r++)
        compare("alltoallv", out + at[r], mine[r], r, (size - 1 - rank) * n);
    RUN(barrier, Barrier, inter);
}

/* The parts of a group's result go to the other group: the numbers of elements must agree. */
static void scattered(int n, int *in, int *out) {
    int block = n * remote, counts[64], offset = 0;
    fill(in, n * size * remote);
    RUN(reduce_scatter_block, Reduce_scatter_block, in, out, block, MPI_INT, MPI_SUM, inter);
    compare_sum("reduce_scatter_block", out, block, rank * block);
    for (int r = 0; r < size; r++) {
        counts[r] = block + (r == 0 ? size - 1 : -1);
        offset += r < rank ? counts[r] : 0;
    }
    fill(in, n * size * remote);
    RUN(reduce_scatter, Reduce_scatter, in, out, counts, MPI_INT, MPI_SUM, inter);
    compare_sum("reduce_scatter", out, counts[rank], offset);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    need_ranks(2);
    /* a third in one group, the rest in the other */
    int first = world_size / 3 > 0 ? world_size / 3 : 1;
    group = world_rank >= first;
    OK(MPI_Comm_split(MPI_COMM_WORLD, group, world_rank, &local));
    OK(MPI_Intercomm_create(local, 0, MPI_COMM_WORLD, group ? 0 : first, 17, &inter));
    OK(MPI_Comm_rank(inter, &rank));
    OK(MPI_Comm_size(inter, &size));
    OK(MPI_Comm_remote_size(inter, &remote));
    EQ(size + remote, world_size);
    static const int counts[] = {2, 30, 1100, 12000};
    size_t room = (size_t)counts[3] * (size_t)world_size * (size_t)world_size * sizeof(int);
    int *in = get_memory(room), *out = get_memory(room);
    for (int c = 0; c < 4; c++) {
        int n = counts[c];
        for (int roots = 0; roots < 2; roots++) {
            int last = roots == group ? size - 1 : remote - 1;
            rooted(n, roots, 0, in, out);
            rooted(n, roots, last, in, out);
        }
        all_to_all(n, in, out);
        scattered(n, in, out);
    }
    free(in);
    free(out);
    OK(MPI_Comm_free(&inter));
    OK(MPI_Comm_free(&local));
    return finish();
}
