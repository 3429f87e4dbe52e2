/* Operations of the user's: one that does not commute must be evaluated in rank order (MPI 5.0 section 6.9.5), on
 * predefined and derived types, and may be freed while a reduction still uses it. */
#include "variants.h"

/* Multiplication of 2x2 matrices modulo a prime: associative, not commutative, exact. */
enum { PRIME = 10007 };
typedef struct {
    int a, b, c, d;
} matrix;

static matrix product(matrix x, matrix y) {
    matrix z = {(x.a * y.a + x.b * y.c) % PRIME, (x.a * y.b + x.b * y.d) % PRIME, (x.c * y.a + x.d * y.c) % PRIME,
                (x.c * y.b + x.d * y.d) % PRIME};
    return z;
}

static int calls, elements;

static void multiply(void *in, void *inout, int *len, MPI_Datatype *type) {
    matrix *x = in, *y = inout;
    int size = 0;
    MPI_Type_size(*type, &size);
    if (size != (int)sizeof(matrix))
        CHECK_FAILED("the operation sees a type of %d bytes", size);
    for (int i = 0; i < *len; i++)
        y[i] = product(x[i], y[i]);
    calls++;
    elements += *len;
}

static void add_modulo(void *in, void *inout, int *len, MPI_Datatype *type) {
    int *x = in, *y = inout;
    if (*type != MPI_INT)
        CHECK_FAILED("the operation sees another type");
    for (int i = 0; i < *len; i++)
        y[i] = (x[i] + y[i]) % 1009;
}

static matrix element(int i, int rank) {
    matrix m = {i % 10 + 1, rank + 2, rank * i % 13 + 1, 3};
    return m;
}

static matrix expected(int i, int ranks) {
    matrix m = element(i, 0);
    for (int rank = 1; rank < ranks; rank++)
        m = product(m, element(i, rank));
    return m;
}

static void compare(const char *what, const matrix *seen, int n, int first, int ranks) {
    for (int i = 0; i < n; i++) {
        matrix m = expected(first + i, ranks);
        if (memcmp(&m, &seen[i], sizeof m) != 0) {
            CHECK_FAILED("%s of %d matrices over %d ranks: wrong at %d", what, n, ranks, i);
            return;
        }
    }
}

static void matrices(int n, MPI_Datatype type, MPI_Op op) {
    matrix *in = get_memory((size_t)n * sizeof *in), *out = get_memory((size_t)n * sizeof *out);
    MPI_Comm comm = MPI_COMM_WORLD;
    for (int i = 0; i < n; i++)
        in[i] = element(i, world_rank);
    RUN(allreduce, Allreduce, in, out, n, type, op, comm);
    compare("allreduce", out, n, 0, world_size);
    memcpy(out, in, (size_t)n * sizeof *out);
    RUN(allreduce, Allreduce, MPI_IN_PLACE, out, n, type, op, comm);
    compare("allreduce in place", out, n, 0, world_size);
    for (int root = 0; root < world_size; root++) {
        memcpy(out, in, (size_t)n * sizeof *out);
        RUN(reduce, Reduce, world_rank == root && root % 2 ? MPI_IN_PLACE : in, out, n, type, op, root, comm);
        if (world_rank == root)
            compare("reduce", out, n, 0, world_size);
    }
    int part = n / world_size;
    RUN(reduce_scatter_block, Reduce_scatter_block, in, out, part, type, op, comm);
    compare("reduce_scatter_block", out, part, part * world_rank, world_size);
    RUN(scan, Scan, in, out, n, type, op, comm);
    compare("scan", out, n, 0, world_rank + 1);
    RUN(exscan, Exscan, in, out, n, type, op, comm);
    if (world_rank > 0)
        compare("exscan", out, n, 0, world_rank);
    free(in);
    free(out);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    MPI_Datatype type;
    MPI_Op op, commuting;
    int commutes = -1;
    OK(MPI_Type_contiguous(4, MPI_INT, &type));
    OK(MPI_Type_commit(&type));
    OK(MPI_Op_create(multiply, 0, &op));
    OK(MPI_Op_create(add_modulo, 1, &commuting));
    OK(MPI_Op_commutative(op, &commutes));
    EQ(commutes, 0);
    OK(MPI_Op_commutative(commuting, &commutes));
    CHECK(commutes != 0);
    OK(MPI_Op_commutative(MPI_SUM, &commutes));
    CHECK(commutes != 0);
    static const int counts[] = {1, 3, 100, 2500, 20000};
    for (int c = 0; c < 5; c++)
        matrices(counts[c], type, op);
    CHECK(world_size == 1 || (calls > 0 && elements >= calls));
    for (int n = 1; n < 50000; n = n * 7 + 1) {
        int *in = get_memory((size_t)n * sizeof(int)), *out = get_memory((size_t)n * sizeof(int));
        for (int i = 0; i < n; i++)
            in[i] = (i + world_rank) % 1009;
        RUN(allreduce, Allreduce, in, out, n, MPI_INT, commuting, MPI_COMM_WORLD);
        for (int i = 0; i < n; i++) {
            int sum = 0;
            for (int rank = 0; rank < world_size; rank++)
                sum = (sum + (i + rank) % 1009) % 1009;
            if (out[i] % 1009 != sum) {
                CHECK_FAILED("modular sum of %d: wrong at %d", n, i);
                break;
            }
        }
        free(in);
        free(out);
    }
    /* Freed while in use. */
    matrix in = element(5, world_rank), out;
    MPI_Request request;
    OK(MPI_Iallreduce(&in, &out, 1, type, op, MPI_COMM_WORLD, &request));
    OK(MPI_Op_free(&op));
    CHECK(op == MPI_OP_NULL);
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    compare("allreduce with a freed operation", &out, 1, 5, world_size);
    OK(MPI_Type_free(&type));
    OK(MPI_Op_free(&commuting));
    return finish();
}
