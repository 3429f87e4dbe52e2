/* Gather and gatherv, allgather and allgatherv: sizes, roots, in place, gaps between blocks, derived types. First
 * argument: the form. */
#include "variants.h"

static const int counts[] = {0, 1, 3, 50, 513, 4000, 20000, 70000};
enum { COUNTS = sizeof counts / sizeof *counts, LARGEST = 70000, GAP = -7 };

static int value(int rank, int i) {
    return rank * 1000000 + i;
}

static void fill(int *at, int n) {
    for (int i = 0; i < n; i++)
        at[i] = value(world_rank, i);
}

static void compare(const char *what, const int *at, int rank, int n) {
    for (int i = 0; i < n; i++)
        if (at[i] != value(rank, i)) {
            CHECK_FAILED("%s of %d ints: block %d wrong at %d: %d", what, n, rank, i, at[i]);
            return;
        }
}

static void clear(int *at, size_t n) {
    for (size_t i = 0; i < n; i++)
        at[i] = GAP;
}

static void even(int n, int root, int *in, int *out) {
    int mine = world_rank == root;
    fill(in, n);
    clear(out, (size_t)n * (size_t)world_size);
    RUN(gather, Gather, in, n, MPI_INT, mine ? out : NULL, n, MPI_INT, root, MPI_COMM_WORLD);
    for (int rank = 0; mine && rank < world_size; rank++)
        compare("gather", out + (size_t)rank * (size_t)n, rank, n);
    clear(out, (size_t)n * (size_t)world_size);
    if (mine)
        fill(out + (size_t)root * (size_t)n, n);
    RUN(gather, Gather, mine ? MPI_IN_PLACE : in, n, MPI_INT, out, n, MPI_INT, root, MPI_COMM_WORLD);
    for (int rank = 0; mine && rank < world_size; rank++)
        compare("gather in place", out + (size_t)rank * (size_t)n, rank, n);
}

static void to_all(int n, int *in, int *out) {
    fill(in, n);
    clear(out, (size_t)n * (size_t)world_size);
    RUN(allgather, Allgather, in, n, MPI_INT, out, n, MPI_INT, MPI_COMM_WORLD);
    for (int rank = 0; rank < world_size; rank++)
        compare("allgather", out + (size_t)rank * (size_t)n, rank, n);
    clear(out, (size_t)n * (size_t)world_size);
    fill(out + (size_t)world_rank * (size_t)n, n);
    RUN(allgather, Allgather, MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, out, n, MPI_INT, MPI_COMM_WORLD);
    for (int rank = 0; rank < world_size; rank++)
        compare("allgather in place", out + (size_t)rank * (size_t)n, rank, n);
}

/* Blocks of different sizes, in reverse order, two ints apart; the gaps must stay. */
static void uneven(int n, int root, int *in, int *out) {
    int *size = get_memory((size_t)world_size * sizeof(int)), *at = get_memory((size_t)world_size * sizeof(int));
    int total = 0;
    for (int rank = world_size - 1; rank >= 0; rank--) {
        size[rank] = rank % 3 == 1 ? 0 : n - n / (rank + 2);
        at[rank] = total;
        total += size[rank] + 2;
    }
    for (int form = 0; form < 4; form++) {
        int everywhere = form / 2, in_place = form % 2, mine = everywhere || world_rank == root;
        fill(in, size[world_rank]);
        clear(out, (size_t)total);
        int own = in_place && mine;
        if (own)
            fill(out + at[world_rank], size[world_rank]);
        const void *from = own ? MPI_IN_PLACE : in;
        if (everywhere)
            RUN(allgatherv, Allgatherv, from, size[world_rank], MPI_INT, out, size, at, MPI_INT, MPI_COMM_WORLD);
        else
            RUN(gatherv, Gatherv, from, size[world_rank], MPI_INT, out, size, at, MPI_INT, root, MPI_COMM_WORLD);
        for (int rank = 0; mine && rank < world_size; rank++) {
            compare(everywhere ? "allgatherv" : "gatherv", out + at[rank], rank, size[rank]);
            EQ(out[at[rank] + size[rank]], GAP);
            EQ(out[at[rank] + size[rank] + 1], GAP);
        }
    }
    free(size);
    free(at);
}

/* Each block becomes a column of a matrix. */
static void columns(int n, int root, int *in, int *out) {
    MPI_Datatype column, narrow;
    OK(MPI_Type_vector(n, 1, world_size, MPI_INT, &column));
    OK(MPI_Type_create_resized(column, 0, sizeof(int), &narrow));
    OK(MPI_Type_commit(&narrow));
    fill(in, n);
    RUN(gather, Gather, in, n, MPI_INT, out, 1, narrow, root, MPI_COMM_WORLD);
    for (int i = 0; world_rank == root && i < n * world_size; i++)
        if (out[i] != value(i % world_size, i / world_size)) {
            CHECK_FAILED("gather of columns of %d: wrong at %d", n, i);
            break;
        }
    RUN(allgather, Allgather, in, n, MPI_INT, out, 1, narrow, MPI_COMM_WORLD);
    for (int i = 0; i < n * world_size; i++)
        if (out[i] != value(i % world_size, i / world_size)) {
            CHECK_FAILED("allgather of columns of %d: wrong at %d", n, i);
            break;
        }
    OK(MPI_Type_free(&column));
    OK(MPI_Type_free(&narrow));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    size_t most = (size_t)(LARGEST + 2) * (size_t)world_size;
    int *in = get_memory(LARGEST * sizeof(int)), *out = get_memory(most * sizeof(int));
    for (int c = 0; c < COUNTS; c++) {
        int n = counts[c];
        for (int root = 0; root < world_size && (n < 5000 || root < 2); root++)
            even(n, root, in, out);
        to_all(n, in, out);
        uneven(n, c % world_size, in, out);
        if (n > 0)
            columns(n, c % world_size, in, out);
    }
    free(in);
    free(out);
    return finish();
}
