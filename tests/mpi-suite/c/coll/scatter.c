/* Scatter and scatterv: sizes, roots, in place, gaps, derived types. First argument: the form. */
#include "variants.h"

static const int counts[] = {0, 1, 3, 50, 513, 4000, 20000, 70000};
enum { COUNTS = sizeof counts / sizeof *counts, LARGEST = 70000 };

static int value(int rank, int i) {
    return rank * 1000000 + i;
}

static void compare(const char *what, const int *at, int n) {
    for (int i = 0; i < n; i++)
        if (at[i] != value(world_rank, i)) {
            CHECK_FAILED("%s of %d ints: wrong at %d: %d", what, n, i, at[i]);
            return;
        }
}

static void even(int n, int root, int *all, int *mine) {
    int here = world_rank == root;
    for (int rank = 0; here && rank < world_size; rank++)
        for (int i = 0; i < n; i++)
            all[(size_t)rank * (size_t)n + (size_t)i] = value(rank, i);
    memset(mine, 0xFF, (size_t)n * sizeof(int));
    RUN(scatter, Scatter, here ? all : NULL, n, MPI_INT, mine, n, MPI_INT, root, MPI_COMM_WORLD);
    compare("scatter", mine, n);
    memset(mine, 0xFF, (size_t)n * sizeof(int));
    RUN(scatter, Scatter, all, n, MPI_INT, here ? MPI_IN_PLACE : mine, n, MPI_INT, root, MPI_COMM_WORLD);
    compare("scatter in place", here ? all + (size_t)root * (size_t)n : mine, n);
}

static void uneven(int n, int root, int *all, int *mine) {
    int *size = get_memory((size_t)world_size * sizeof(int)), *at = get_memory((size_t)world_size * sizeof(int));
    int total = 0;
    for (int rank = world_size - 1; rank >= 0; rank--) {
        size[rank] = rank % 3 == 1 ? 0 : n - n / (rank + 2);
        at[rank] = total;
        for (int i = 0; i < size[rank]; i++)
            all[total + i] = value(rank, i);
        total += size[rank] + 2;
    }
    int here = world_rank == root;
    RUN(scatterv, Scatterv, all, size, at, MPI_INT, mine, size[world_rank], MPI_INT, root, MPI_COMM_WORLD);
    compare("scatterv", mine, size[world_rank]);
    memset(mine, 0xFF, (size_t)n * sizeof(int));
    RUN(scatterv, Scatterv, all, size, at, MPI_INT, here ? MPI_IN_PLACE : mine, size[world_rank], MPI_INT, root,
        MPI_COMM_WORLD);
    compare("scatterv in place", here ? all + at[root] : mine, size[world_rank]);
    free(size);
    free(at);
}

/* Each rank gets a column of a matrix. */
static void columns(int n, int root, int *all, int *mine) {
    MPI_Datatype column, narrow;
    OK(MPI_Type_vector(n, 1, world_size, MPI_INT, &column));
    OK(MPI_Type_create_resized(column, 0, sizeof(int), &narrow));
    OK(MPI_Type_commit(&narrow));
    for (int i = 0; i < n * world_size; i++)
        all[i] = value(i % world_size, i / world_size);
    RUN(scatter, Scatter, all, 1, narrow, mine, n, MPI_INT, root, MPI_COMM_WORLD);
    compare("scatter of columns", mine, n);
    OK(MPI_Type_free(&column));
    OK(MPI_Type_free(&narrow));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    size_t most = (size_t)(LARGEST + 2) * (size_t)world_size;
    int *mine = get_memory(LARGEST * sizeof(int)), *all = get_memory(most * sizeof(int));
    for (int c = 0; c < COUNTS; c++) {
        int n = counts[c];
        for (int root = 0; root < world_size && (n < 5000 || root < 2); root++)
            even(n, root, all, mine);
        uneven(n, c % world_size, all, mine);
        if (n > 0)
            columns(n, c % world_size, all, mine);
    }
    free(mine);
    free(all);
    return finish();
}
