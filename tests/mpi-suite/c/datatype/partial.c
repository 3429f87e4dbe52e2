/* A message shorter than the receive's type fills it in order and no further; elements are counted; a type may be
 * freed while it is in use (MPI 5.0 sections 5.1.9, 5.1.11). */
#include "check.h"

#include <stddef.h>

enum { N = 9000 };

static void shorter(int ints) {
    /* pairs (int, double) with padding between them */
    struct pair {
        int a;
        double b;
    } *in = get_memory(N * sizeof *in);
    MPI_Datatype types[2] = {MPI_INT, MPI_DOUBLE}, pair;
    int lengths[2] = {1, 1}, count = -1, left = (world_rank + world_size - 1) % world_size;
    MPI_Aint at[2] = {0, offsetof(struct pair, b)};
    MPI_Status status;
    OK(MPI_Type_create_struct(2, lengths, at, types, &pair));
    OK(MPI_Type_commit(&pair));
    memset(in, 0xFF, N * sizeof *in);
    struct pair *out = get_memory((size_t)(ints + 1) * sizeof *out);
    for (int i = 0; i <= ints; i++) {
        out[i].a = i;
        out[i].b = i + 0.5;
    }
    MPI_Request request;
    /* `ints` whole pairs, and then one int more: a struct ends in the middle */
    MPI_Datatype tail_types[2] = {pair, MPI_INT}, tail;
    int tail_lengths[2] = {ints, 1};
    MPI_Aint tail_at[2] = {0, ints * (MPI_Aint)sizeof *out};
    OK(MPI_Type_create_struct(2, tail_lengths, tail_at, tail_types, &tail));
    OK(MPI_Type_commit(&tail));
    OK(MPI_Isend(out, 1, tail, (world_rank + 1) % world_size, 1, MPI_COMM_WORLD, &request));
    OK(MPI_Type_free(&tail));
    OK(MPI_Recv(in, N, pair, left, 1, MPI_COMM_WORLD, &status));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    OK(MPI_Get_count(&status, pair, &count));
    EQ(count, MPI_UNDEFINED);
    OK(MPI_Get_elements(&status, pair, &count));
    EQ(count, 2 * ints + 1);
    for (int i = 0; i < ints; i++)
        if (in[i].a != i || in[i].b != i + 0.5) {
            CHECK_FAILED("%d pairs: wrong at %d", ints, i);
            break;
        }
    EQ(in[ints].a, ints);
    unsigned char beyond[sizeof(double)];
    memcpy(beyond, &in[ints].b, sizeof beyond);
    EQ(beyond[0], 0xFF);
    OK(MPI_Type_free(&pair));
    free(in);
    free(out);
}

static void freed_in_use(void) {
    MPI_Datatype strided;
    MPI_Request request[2];
    int *out = get_memory(2 * N * sizeof(int)), *in = get_memory(2 * N * sizeof(int));
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 0; i < 2 * N; i++) {
        out[i] = world_rank * 100000 + i;
        in[i] = -1;
    }
    OK(MPI_Type_vector(N, 1, 2, MPI_INT, &strided));
    OK(MPI_Type_commit(&strided));
    OK(MPI_Irecv(in, 1, strided, left, 2, MPI_COMM_WORLD, &request[0]));
    OK(MPI_Isend(out, 1, strided, right, 2, MPI_COMM_WORLD, &request[1]));
    OK(MPI_Type_free(&strided));
    /* its handle may be given to another type at once */
    MPI_Datatype another;
    OK(MPI_Type_contiguous(3, MPI_DOUBLE, &another));
    OK(MPI_Type_commit(&another));
    OK(MPI_Waitall(2, request, MPI_STATUSES_IGNORE));
    for (int i = 0; i < 2 * N - 1; i++)
        if (in[i] != (i % 2 ? -1 : left * 100000 + i)) {
            CHECK_FAILED("freed type: wrong at %d", i);
            break;
        }
    OK(MPI_Type_free(&another));
    free(out);
    free(in);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    shorter(0);
    shorter(1);
    shorter(100);
    shorter(8000);
    freed_in_use();
    return finish();
}
