/* MPI_Cart_sub cuts a grid in every way (MPI 5.0 section 8.5.6). */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm cart, slice;
    int dims[3] = {0, 0, 0}, periods[3] = {1, 0, 1}, coords[3], rank;
    OK(MPI_Dims_create(world_size, 3, dims));
    OK(MPI_Cart_create(MPI_COMM_WORLD, 3, dims, periods, 1, &cart));
    OK(MPI_Comm_rank(cart, &rank));
    OK(MPI_Cart_coords(cart, rank, 3, coords));
    for (int which = 0; which < 8; which++) {
        int remain[3] = {which & 1, which & 2, which & 4}, kept = 0, size = 1;
        int wanted_dims[3], wanted_periods[3], wanted_coords[3];
        for (int i = 0; i < 3; i++)
            if (remain[i]) {
                wanted_dims[kept] = dims[i];
                wanted_periods[kept] = periods[i];
                wanted_coords[kept++] = coords[i];
                size *= dims[i];
            }
        OK(MPI_Cart_sub(cart, remain, &slice));
        int seen = -1, got_dims[3], got_periods[3], got_coords[3];
        OK(MPI_Comm_size(slice, &seen));
        EQ(seen, size);
        OK(MPI_Topo_test(slice, &seen));
        EQ(seen, MPI_CART);
        OK(MPI_Cartdim_get(slice, &seen));
        EQ(seen, kept);
        OK(MPI_Cart_get(slice, 3, got_dims, got_periods, got_coords));
        for (int i = 0; i < kept; i++) {
            EQ(got_dims[i], wanted_dims[i]);
            EQ(!got_periods[i], !wanted_periods[i]);
            EQ(got_coords[i], wanted_coords[i]);
        }
        /* The members agree in the coordinates that were dropped. */
        for (int i = 0; i < 3; i++) {
            int low = -1, high = -1;
            OK(MPI_Allreduce(&coords[i], &low, 1, MPI_INT, MPI_MIN, slice));
            OK(MPI_Allreduce(&coords[i], &high, 1, MPI_INT, MPI_MAX, slice));
            EQ(low, remain[i] ? 0 : coords[i]);
            EQ(high, remain[i] ? dims[i] - 1 : coords[i]);
        }
        OK(MPI_Comm_free(&slice));
    }
    OK(MPI_Comm_free(&cart));
    return finish();
}
