/* Sums of every size class and from every root: each algorithm's turn comes somewhere. First argument: the form. */
#include "variants.h"

static const int counts[] = {0, 1, 2, 7, 16, 100, 513, 1024, 4097, 16384, 65536, 150001, 524288};
enum { LARGEST = 524288 };

static double value(int i, int rank) {
    return (double)(i % 1000) + rank * 0.5;
}

static double sum(int i, int ranks) {
    return (double)(i % 1000) * ranks + 0.5 * ranks * (ranks - 1) / 2;
}

static void compare(const char *what, const double *seen, int n, int first, int ranks) {
    for (int i = 0; i < n; i++)
        if (seen[i] != sum(first + i, ranks)) {
            CHECK_FAILED("%s of %d: %f at %d, expected %f", what, n, seen[i], i, sum(first + i, ranks));
            return;
        }
}

static void fill(double *at, int n) {
    for (int i = 0; i < n; i++)
        at[i] = value(i, world_rank);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    double *in = get_memory(LARGEST * sizeof *in), *out = get_memory(LARGEST * sizeof *out);
    MPI_Comm comm = MPI_COMM_WORLD;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        int n = counts[c];
        fill(in, n);
        RUN(allreduce, Allreduce, in, out, n, MPI_DOUBLE, MPI_SUM, comm);
        compare("allreduce", out, n, 0, world_size);
        fill(out, n);
        RUN(allreduce, Allreduce, MPI_IN_PLACE, out, n, MPI_DOUBLE, MPI_SUM, comm);
        compare("allreduce in place", out, n, 0, world_size);
        for (int root = 0; root < world_size && (n < 70000 || root < 2); root++) {
            RUN(reduce, Reduce, in, out, n, MPI_DOUBLE, MPI_SUM, root, comm);
            if (world_rank == root)
                compare("reduce", out, n, 0, world_size);
        }
        int part = n / world_size;
        RUN(reduce_scatter_block, Reduce_scatter_block, in, out, part, MPI_DOUBLE, MPI_SUM, comm);
        compare("reduce_scatter_block", out, part, part * world_rank, world_size);
        RUN(scan, Scan, in, out, n, MPI_DOUBLE, MPI_SUM, comm);
        compare("scan", out, n, 0, world_rank + 1);
        RUN(exscan, Exscan, in, out, n, MPI_DOUBLE, MPI_SUM, comm);
        if (world_rank > 0)
            compare("exscan", out, n, 0, world_rank);
    }
    free(in);
    free(out);
    return finish();
}
