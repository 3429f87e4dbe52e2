/* Cartesian grids: coordinates, ranks, shifts, and processes beyond the grid (MPI 5.0 section 8.5). */
#include "check.h"

enum { DIMS_MAX = 3 };

/* The rank at coordinates of a row-major grid; MPI_PROC_NULL outside. */
static int rank_at(int ndims, const int *dims, const int *periods, const int *coords) {
    int rank = 0;
    for (int i = 0; i < ndims; i++) {
        int at = coords[i];
        if (periods[i])
            at = (at % dims[i] + dims[i]) % dims[i];
        else if (at < 0 || at >= dims[i])
            return MPI_PROC_NULL;
        rank = rank * dims[i] + at;
    }
    return rank;
}

static void check_coordinates(MPI_Comm cart, int ndims, const int *dims, const int *periods) {
    int size, coords[DIMS_MAX], back;
    OK(MPI_Comm_size(cart, &size));
    for (int rank = 0; rank < size; rank++) {
        OK(MPI_Cart_coords(cart, rank, DIMS_MAX, coords));
        EQ(rank_at(ndims, dims, periods, coords), rank);
        OK(MPI_Cart_rank(cart, coords, &back));
        EQ(back, rank);
        for (int i = 0; i < ndims; i++)
            if (periods[i]) {
                coords[i] -= 3 * dims[i];
                OK(MPI_Cart_rank(cart, coords, &back));
                EQ(back, rank);
                coords[i] += 3 * dims[i];
            }
    }
}

static void check_shifts(MPI_Comm cart, int ndims, const int *dims, const int *periods) {
    int rank, coords[DIMS_MAX], from, to;
    OK(MPI_Comm_rank(cart, &rank));
    OK(MPI_Cart_coords(cart, rank, DIMS_MAX, coords));
    for (int direction = 0; direction < ndims; direction++)
        for (int disp = -4; disp <= 4; disp++) {
            int there[DIMS_MAX];
            OK(MPI_Cart_shift(cart, direction, disp, &from, &to));
            memcpy(there, coords, sizeof there);
            there[direction] = coords[direction] - disp;
            EQ(from, rank_at(ndims, dims, periods, there));
            there[direction] = coords[direction] + disp;
            EQ(to, rank_at(ndims, dims, periods, there));
            /* What all shift arrives: each receives the rank of its source. */
            int received = -5;
            OK(MPI_Sendrecv(&rank, 1, MPI_INT, to, 0, &received, 1, MPI_INT, from, 0, cart, MPI_STATUS_IGNORE));
            EQ(received, from == MPI_PROC_NULL ? -5 : from);
        }
}

static void one_grid(int ndims, const int *dims, const int *periods) {
    MPI_Comm cart;
    int size = 1, seen = -1, kind = -1, map = -1;
    for (int i = 0; i < ndims; i++)
        size *= dims[i];
    if (size > world_size)
        return;
    OK(MPI_Cart_map(MPI_COMM_WORLD, ndims, dims, periods, &map));
    EQ(map, world_rank < size ? world_rank : MPI_UNDEFINED);
    OK(MPI_Cart_create(MPI_COMM_WORLD, ndims, dims, periods, 0, &cart));
    if (world_rank >= size) {
        CHECK(cart == MPI_COMM_NULL);
        return;
    }
    OK(MPI_Topo_test(cart, &kind));
    EQ(kind, MPI_CART);
    OK(MPI_Comm_size(cart, &seen));
    EQ(seen, size);
    OK(MPI_Cartdim_get(cart, &seen));
    EQ(seen, ndims);
    int got_dims[DIMS_MAX], got_periods[DIMS_MAX], got_coords[DIMS_MAX], rank = -1;
    OK(MPI_Cart_get(cart, DIMS_MAX, got_dims, got_periods, got_coords));
    for (int i = 0; i < ndims; i++) {
        EQ(got_dims[i], dims[i]);
        EQ(!got_periods[i], !periods[i]);
    }
    OK(MPI_Comm_rank(cart, &rank));
    EQ(rank_at(ndims, dims, periods, got_coords), rank);
    EQ(rank, world_rank); /* without reordering */
    check_coordinates(cart, ndims, dims, periods);
    check_shifts(cart, ndims, dims, periods);

    /* A duplicate has the same topology, and lives on its own. */
    MPI_Comm copy;
    OK(MPI_Comm_dup(cart, &copy));
    OK(MPI_Comm_free(&cart));
    OK(MPI_Topo_test(copy, &kind));
    EQ(kind, MPI_CART);
    check_shifts(copy, ndims, dims, periods);
    OK(MPI_Comm_free(&copy));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    /* A grid that is empty for too few processes: nobody has a place in it. */
    int empty[2] = {2, 0}, open[2] = {0, 0}, place = 0;
    OK(MPI_Cart_map(MPI_COMM_WORLD, 2, empty, open, &place));
    EQ(place, MPI_UNDEFINED);
    int kind = -1;
    OK(MPI_Topo_test(MPI_COMM_WORLD, &kind));
    EQ(kind, MPI_UNDEFINED);
    one_grid(0, NULL, NULL);
    for (int periodic = 0; periodic < 8; periodic++) {
        int periods[DIMS_MAX] = {periodic & 1, periodic & 2, periodic & 4};
        for (int a = 1; a <= 3; a++) {
            one_grid(1, &a, periods);
            for (int b = 1; b <= 3; b++) {
                int dims[DIMS_MAX] = {a, b, 2};
                one_grid(2, dims, periods);
                one_grid(3, dims, periods);
            }
        }
    }
    return finish();
}
