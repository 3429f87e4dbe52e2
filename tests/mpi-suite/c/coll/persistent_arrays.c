/* Arrays of counts, displacements and types that are gone when a persistent collective is started: some programs free them after the
   initialisation. The counts are taken from then on from what the initialisation saw. */
#include "check.h"

static void gone(int *array) {
    for (int i = 0; i < world_size; i++)
        array[i] = 0x7fffffff;
    free(array);
}

static int *filled(int first, int step) {
    int *array = get_memory((size_t)world_size * sizeof(int));
    for (int i = 0; i < world_size; i++)
        array[i] = first + i * step;
    return array;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm comm = MPI_COMM_WORLD;
    size_t size = (size_t)world_size;
    MPI_Request request[3];

    /* Member i gets i + 1 items. */
    size_t all = size * (size + 1) / 2;
    int *in = get_memory(all * sizeof(int)), *out = get_memory(size * sizeof(int)), *counts = filled(1, 1);
    OK(MPI_Reduce_scatter_init(in, out, counts, MPI_INT, MPI_SUM, comm, MPI_INFO_NULL, &request[0]));
    gone(counts);

    int *from = get_memory(size * sizeof(int)), *to = get_memory(size * sizeof(int));
    int *arrays[4] = {filled(1, 0), filled(0, 1), filled(1, 0), filled(0, 1)};
    OK(MPI_Alltoallv_init(from, arrays[0], arrays[1], MPI_INT, to, arrays[2], arrays[3], MPI_INT, comm, MPI_INFO_NULL, &request[1]));
    for (int k = 0; k < 4; k++)
        gone(arrays[k]);

    int *everything = get_memory(size * sizeof(int));
    int *byte_arrays[4] = {filled(1, 0), filled(0, (int)sizeof(int)), filled(1, 0), filled(0, (int)sizeof(int))};
    MPI_Datatype *types = get_memory(size * sizeof(MPI_Datatype));
    for (int i = 0; i < world_size; i++)
        types[i] = MPI_INT;
    OK(MPI_Alltoallw_init(from, byte_arrays[0], byte_arrays[1], types, everything, byte_arrays[2], byte_arrays[3], types, comm,
                          MPI_INFO_NULL, &request[2]));
    for (int k = 0; k < 4; k++)
        gone(byte_arrays[k]);
    free(types);

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < all; i++)
            in[i] = (int)i + round;
        for (int i = 0; i < world_size; i++)
            from[i] = 100 * world_rank + i + round;
        OK(MPI_Startall(3, request));
        OK(MPI_Waitall(3, request, MPI_STATUSES_IGNORE));
        int start = world_rank * (world_rank + 1) / 2;
        for (int i = 0; i <= world_rank; i++)
            EQ(out[i], world_size * (start + i + round));
        for (int i = 0; i < world_size; i++) {
            EQ(to[i], 100 * i + world_rank + round);
            EQ(everything[i], 100 * i + world_rank + round);
        }
    }
    for (int k = 0; k < 3; k++)
        OK(MPI_Request_free(&request[k]));
    free(in);
    free(out);
    free(from);
    free(to);
    free(everything);
    return finish();
}
