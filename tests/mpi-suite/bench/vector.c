/* Half of the round trip of a strided type: 4,096 blocks of 8 bytes, 16 bytes apart, at both ends; beside it the same
 * bytes in a row. */
#include "bench.h"

enum { BLOCKS = 4096 };
static char *out, *in;
static MPI_Datatype type;
static int count;

static void ping_pong(size_t bytes, int n) {
    (void)bytes;
    for (int i = 0; i < n; i++) {
        if (rank == 0)
            MPI_Send(out, count, type, 1, 1, MPI_COMM_WORLD);
        if (rank < 2)
            MPI_Recv(in, count, type, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        if (rank == 1)
            MPI_Send(out, count, type, 0, 1, MPI_COMM_WORLD);
    }
}

int main(int argc, char **argv) {
    MPI_Datatype vector;
    begin(&argc, &argv);
    out = buffer_of(16 * BLOCKS);
    in = buffer_of(16 * BLOCKS);
    MPI_Type_vector(BLOCKS, 1, 2, MPI_DOUBLE, &vector);
    MPI_Type_commit(&vector);
    type = vector, count = 1;
    cell("vector", 8 * BLOCKS, "us", seconds_each(ping_pong, 8 * BLOCKS) / 2 * 1e6);
    type = MPI_DOUBLE, count = BLOCKS;
    cell("vector_flat", 8 * BLOCKS, "us", seconds_each(ping_pong, 8 * BLOCKS) / 2 * 1e6);
    MPI_Type_free(&vector);
    MPI_Finalize();
    return 0;
}
