/* A datatype freed while a reduction with the user's operation is under way: the operation is still given a datatype
 * that it can ask about (MPI 5.0 sections 5.1.9, 6.9.5). */
#include "check.h"

static int size_seen;

static void add_pairs(void *in, void *inout, int *len, MPI_Datatype *type) {
    int *x = in, *y = inout;
    MPI_Type_size(*type, &size_seen);
    for (int i = 0; i < 2 * *len; i++)
        y[i] += x[i];
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Datatype pair;
    MPI_Op op;
    MPI_Request request;
    int in[2] = {world_rank, 1}, out[2] = {-1, -1};
    OK(MPI_Type_contiguous(2, MPI_INT, &pair));
    OK(MPI_Type_commit(&pair));
    OK(MPI_Op_create(add_pairs, 1, &op));
    OK(MPI_Iallreduce(in, out, 1, pair, op, MPI_COMM_WORLD, &request));
    OK(MPI_Type_free(&pair));
    OK(MPI_Op_free(&op));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    EQ(out[0], world_size * (world_size - 1) / 2);
    EQ(out[1], world_size);
    int seen = size_seen, most = -1;
    OK(MPI_Allreduce(&seen, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD));
    EQ(most, 2 * (int)sizeof(int));
    return finish();
}
