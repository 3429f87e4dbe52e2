/* Wrong arguments of the topology functions raise an error on the communicator and leave the program running. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm world, cart, graph, inter, none = MPI_COMM_NULL;
    int dims[2] = {world_size, 1}, periods[2] = {0, 1}, coords[2] = {0, 0}, n = 0, m = 0;
    int index = 1, edge = 0;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &world));
    OK(MPI_Comm_set_errhandler(world, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN)); /* in charge of MPI_COMM_NULL */
    OK(MPI_Cart_create(world, 2, dims, periods, 0, &cart));
    OK(MPI_Graph_create(world, 1, &index, &edge, 0, &graph));

    FAILS(MPI_Cartdim_get(world, &n), MPI_ERR_TOPOLOGY);
    FAILS(MPI_Graphdims_get(cart, &n, &m), MPI_ERR_TOPOLOGY);
    FAILS(MPI_Dist_graph_neighbors_count(cart, &n, &m, &n), MPI_ERR_TOPOLOGY);
    if (graph != MPI_COMM_NULL)
        FAILS(MPI_Cart_shift(graph, 0, 1, &n, &m), MPI_ERR_TOPOLOGY);

    FAILS(MPI_Cart_coords(cart, world_size, 2, coords), MPI_ERR_RANK);
    FAILS(MPI_Cart_coords(cart, -1, 2, coords), MPI_ERR_RANK);
    FAILS(MPI_Cart_coords(cart, 0, 1, coords), MPI_ERR_ARG);
    coords[0] = world_size;
    FAILS(MPI_Cart_rank(cart, coords, &n), MPI_ERR_ARG);
    FAILS(MPI_Cart_shift(cart, 2, 1, &n, &m), MPI_ERR_DIMS);
    FAILS(MPI_Cart_shift(cart, -1, 1, &n, &m), MPI_ERR_DIMS);
    FAILS(MPI_Cart_shift(cart, 0, 1, NULL, &m), MPI_ERR_ARG);

    dims[1] = 2;
    FAILS(MPI_Cart_create(world, 2, dims, periods, 0, &none), MPI_ERR_DIMS);
    dims[1] = 0;
    FAILS(MPI_Cart_create(world, 2, dims, periods, 0, &none), MPI_ERR_DIMS);
    FAILS(MPI_Cart_create(world, -1, dims, periods, 0, &none), MPI_ERR_ARG);
    FAILS(MPI_Cart_create(world, 2, NULL, periods, 0, &none), MPI_ERR_ARG);
    FAILS(MPI_Cart_create(MPI_COMM_NULL, 2, dims, periods, 0, &none), MPI_ERR_COMM);
    edge = 1;
    FAILS(MPI_Graph_create(world, 1, &index, &edge, 0, &none), MPI_ERR_ARG);
    index = -1;
    FAILS(MPI_Graph_create(world, 1, &index, &edge, 0, &none), MPI_ERR_ARG);
    edge = world_size;
    FAILS(MPI_Dist_graph_create_adjacent(world, 1, &edge, MPI_UNWEIGHTED, 0, NULL, MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &none),
          MPI_ERR_RANK);
    edge = 0;
    FAILS(MPI_Dist_graph_create_adjacent(world, 1, &edge, &index, 0, NULL, MPI_WEIGHTS_EMPTY, MPI_INFO_NULL, 0, &none),
          MPI_ERR_ARG);
    CHECK(none == MPI_COMM_NULL);

    if (world_size > 1) {
        MPI_Comm half;
        OK(MPI_Comm_split(world, world_rank % 2, 0, &half));
        OK(MPI_Intercomm_create(half, 0, world, 1 - world_rank % 2, 7, &inter));
        OK(MPI_Comm_set_errhandler(inter, MPI_ERRORS_RETURN));
        dims[0] = dims[1] = 1;
        FAILS(MPI_Cart_create(inter, 2, dims, periods, 0, &none), MPI_ERR_COMM);
        OK(MPI_Comm_free(&inter));
        OK(MPI_Comm_free(&half));
    }
    if (graph != MPI_COMM_NULL)
        OK(MPI_Comm_free(&graph));
    OK(MPI_Comm_free(&cart));
    OK(MPI_Comm_free(&world));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
