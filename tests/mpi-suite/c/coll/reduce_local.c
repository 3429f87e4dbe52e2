/* MPI_Reduce_local: inout becomes in op inout, in that order (MPI 5.0 section 6.9.7). */
#include "types.h"

static void keep_left(void *in, void *inout, int *len, MPI_Datatype *type) {
    (void)type;
    memcpy(inout, in, (size_t)*len * sizeof(int));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    enum { N = 500 };
    char *a = get_memory(N * 32), *b = get_memory(N * 32), *expected = get_memory(N * 32);
    for (int index = 0; kind_at(index).name; index++) {
        struct kind k = kind_at(index);
        for (int o = 0; o < OPS; o++) {
            if (!(k.takes & op_at(o).needs) || k.type == MPI_DATATYPE_NULL)
                continue;
            for (size_t i = 0; i < N; i++) {
                int logical = o >= LAND;
                k.set(a, i, logical ? (int)(i % 2) : (int)(i * 7 % 50));
                k.set(b, i, logical ? (int)(i / 2 % 2) : (int)(i * 3 % 40));
                k.set(expected, i, logical ? (int)(i / 2 % 2) : (int)(i * 3 % 40));
                k.apply(o, expected, a, i);
            }
            OK(MPI_Reduce_local(a, b, N, k.type, op_at(o).op));
            for (size_t i = 0; i < N; i++)
                if (!k.equal(b, expected, i)) {
                    CHECK_FAILED("%s by %s: wrong at %zu", k.name, op_at(o).name, i);
                    break;
                }
        }
    }
    MPI_Op op;
    int left[3] = {1, 2, 3}, right[3] = {7, 8, 9};
    OK(MPI_Op_create(keep_left, 0, &op));
    OK(MPI_Reduce_local(left, right, 3, MPI_INT, op));
    EQ(right[0], 1);
    EQ(right[2], 3);
    OK(MPI_Reduce_local(NULL, NULL, 0, MPI_INT, op));
    OK(MPI_Op_free(&op));
    free(a);
    free(b);
    free(expected);
    return finish();
}
