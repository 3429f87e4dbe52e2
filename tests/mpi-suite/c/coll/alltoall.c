/* Alltoall, alltoallv, alltoallw: sizes, in place, uneven and empty blocks, a type for each pair. First argument: the
 * form. */
#include "variants.h"

static const int counts[] = {0, 1, 2, 30, 256, 1025, 9000, 40000};
enum { COUNTS = sizeof counts / sizeof *counts, LARGEST = 40000 };

static int value(int from, int to, int i) {
    return (from * 64 + to) * 100000 + i;
}

static void fill(int *at, int from, int to, int n) {
    for (int i = 0; i < n; i++)
        at[i] = value(from, to, i);
}

static void compare(const char *what, const int *at, int from, int n) {
    for (int i = 0; i < n; i++)
        if (at[i] != value(from, world_rank, i)) {
            CHECK_FAILED("%s of %d ints: block from %d wrong at %d: %d", what, n, from, i, at[i]);
            return;
        }
}

static void even(int n, int *out, int *in) {
    for (int form = 0; form < 2; form++) {
        int *from = form == 1 ? in : out;
        memset(in, 0xFF, (size_t)n * (size_t)world_size * sizeof(int));
        for (int to = 0; to < world_size; to++)
            fill(from + (size_t)to * (size_t)n, world_rank, to, n);
        RUN(alltoall, Alltoall, form == 1 ? MPI_IN_PLACE : out, n, MPI_INT, in, n, MPI_INT, MPI_COMM_WORLD);
        for (int rank = 0; rank < world_size; rank++)
            compare(form == 1 ? "alltoall in place" : "alltoall", in + (size_t)rank * (size_t)n, rank, n);
    }
}

/* Symmetric, so that it may be done in place as well. */
static int pair_count(int a, int b, int n) {
    return (a + b) % 4 == 3 ? 0 : n - (a + b) % 3 * (n / 5);
}

static void uneven(int n, int *out, int *in) {
    int *size = get_memory((size_t)world_size * sizeof(int)), *at = get_memory((size_t)world_size * sizeof(int));
    int total = 0;
    for (int rank = world_size - 1; rank >= 0; rank--) {
        size[rank] = pair_count(world_rank, rank, n);
        at[rank] = total;
        total += size[rank] + 1;
    }
    for (int form = 0; form < 2; form++) {
        int *from = form == 1 ? in : out;
        memset(in, 0xFF, (size_t)total * sizeof(int));
        for (int to = 0; to < world_size; to++)
            fill(from + at[to], world_rank, to, size[to]);
        RUN(alltoallv, Alltoallv, form == 1 ? MPI_IN_PLACE : out, size, at, MPI_INT, in, size, at, MPI_INT,
            MPI_COMM_WORLD);
        for (int rank = 0; rank < world_size; rank++) {
            compare(form == 1 ? "alltoallv in place" : "alltoallv", in + at[rank], rank, size[rank]);
            EQ(in[at[rank] + size[rank]], -1);
        }
    }
    free(size);
    free(at);
}

/* What goes to odd ranks is spread over every second place; what comes from even ranks is too. */
static void typed(int n, int *out, int *in) {
    size_t ranks = (size_t)world_size;
    int *ones = get_memory(ranks * sizeof(int)), *out_at = get_memory(ranks * sizeof(int));
    MPI_Datatype *out_type = get_memory(ranks * sizeof *out_type), *in_type = get_memory(ranks * sizeof *in_type);
    MPI_Datatype plain, spread;
    OK(MPI_Type_contiguous(n, MPI_INT, &plain));
    OK(MPI_Type_vector(n, 1, 2, MPI_INT, &spread));
    OK(MPI_Type_commit(&plain));
    OK(MPI_Type_commit(&spread));
    for (int rank = 0; rank < world_size; rank++) {
        int stride = rank % 2 ? 2 : 1;
        int *block = out + (size_t)rank * 2 * (size_t)n;
        ones[rank] = 1;
        out_at[rank] = rank * 2 * n * (int)sizeof(int);
        out_type[rank] = rank % 2 ? spread : plain;
        in_type[rank] = rank % 2 ? plain : spread;
        for (int i = 0; i < n; i++)
            block[i * stride] = value(world_rank, rank, i);
    }
    memset(in, 0xFF, 2 * (size_t)n * ranks * sizeof(int));
    RUN(alltoallw, Alltoallw, out, ones, out_at, out_type, in, ones, out_at, in_type, MPI_COMM_WORLD);
    for (int rank = 0; rank < world_size; rank++) {
        int stride = rank % 2 ? 1 : 2, *block = in + (size_t)rank * 2 * (size_t)n;
        for (int i = 0; i < n; i++)
            if (block[i * stride] != value(rank, world_rank, i) || (stride == 2 && block[i * stride + 1] != -1)) {
                CHECK_FAILED("alltoallw of %d: block from %d wrong at %d", n, rank, i);
                break;
            }
    }
    OK(MPI_Type_free(&plain));
    OK(MPI_Type_free(&spread));
    free(ones);
    free(out_at);
    free(out_type);
    free(in_type);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    size_t most = 2 * (size_t)(LARGEST + 1) * (size_t)world_size * sizeof(int);
    int *out = get_memory(most), *in = get_memory(most);
    for (int c = 0; c < COUNTS; c++) {
        even(counts[c], out, in);
        uneven(counts[c], out, in);
        if (counts[c] > 0)
            typed(counts[c], out, in);
    }
    free(out);
    free(in);
    return finish();
}
