/* MPI_Dims_create: products, order, balance and fixed dimensions (MPI 5.0 section 8.5.2). */
#include "check.h"

/* The least spread between the factors of n as a product of two, by trying all. */
static int least_spread(int n) {
    int spread = n - 1;
    for (int a = 1; a * a <= n; a++)
        if (n % a == 0)
            spread = n / a - a;
    return spread;
}

static void any_number(int nnodes, int ndims) {
    int dims[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    long long product = 1;
    OK(MPI_Dims_create(nnodes, ndims, dims));
    for (int i = 0; i < ndims; i++) {
        product *= dims[i];
        CHECK_MSG(i == 0 || dims[i] <= dims[i - 1], "%d in %d: dimension %d is larger than the one before", nnodes,
                  ndims, i);
    }
    EQ(product, nnodes);
    if (ndims == 2)
        EQ(dims[0] - dims[1], least_spread(nnodes));
}

static void fixed(int nnodes, int a, int b, int c, int wanted_a, int wanted_b, int wanted_c) {
    int dims[3] = {a, b, c};
    OK(MPI_Dims_create(nnodes, 3, dims));
    EQ(dims[0], wanted_a);
    EQ(dims[1], wanted_b);
    EQ(dims[2], wanted_c);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    for (int nnodes = 1; nnodes <= 300; nnodes++)
        for (int ndims = 1; ndims <= 5; ndims++)
            any_number(nnodes, ndims);
    any_number(1 << 30, 7);
    any_number(2147483647, 3);
    any_number(2095133040, 6);
    fixed(6, 0, 3, 0, 2, 3, 1);
    fixed(64, 0, 0, 0, 4, 4, 4);
    fixed(60, 0, 0, 5, 4, 3, 5);
    /* As far apart as 20 x 18 x 14, but between larger numbers. */
    fixed(5040, 0, 0, 0, 21, 16, 15);
    fixed(24, 2, 3, 4, 2, 3, 4);
    fixed(17, 1, 0, 1, 1, 17, 1);
    OK(MPI_Dims_create(5, 0, NULL));

    int dims[2] = {0, 3};
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    FAILS(MPI_Dims_create(7, 2, dims), MPI_ERR_DIMS);
    dims[0] = -1;
    FAILS(MPI_Dims_create(6, 2, dims), MPI_ERR_DIMS);
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
