/* Broadcast of every size class from every root, typed on one side and plain on the other. First argument: the form. */
#include "variants.h"

static const int counts[] = {0, 1, 2, 10, 64, 500, 1025, 5000, 16384, 20000, 65537, 262144, 600000};
enum { LARGEST = 600000 };

static int value(int root, int i) {
    return root * 1000003 + i * 7;
}

static void plain(int n, int root, int *buffer) {
    for (int i = 0; i < n; i++)
        buffer[i] = world_rank == root ? value(root, i) : -1;
    buffer[n] = 12345;
    RUN(bcast, Bcast, buffer, n, MPI_INT, root, MPI_COMM_WORLD);
    for (int i = 0; i < n; i++)
        if (buffer[i] != value(root, i)) {
            CHECK_FAILED("bcast of %d ints from %d: wrong at %d", n, root, i);
            break;
        }
    EQ(buffer[n], 12345);
}

/* Odd ranks receive into every second place; the signature is the same. */
static void typed(int n, int root, int *buffer) {
    int stride = world_rank % 2 ? 2 : 1;
    MPI_Datatype type;
    OK(MPI_Type_vector(n, 1, stride, MPI_INT, &type));
    OK(MPI_Type_commit(&type));
    for (int i = 0; i < n * stride; i++)
        buffer[i] = i % stride == 0 && world_rank == root ? value(root, i / stride) : -1;
    RUN(bcast, Bcast, buffer, 1, type, root, MPI_COMM_WORLD);
    for (int i = 0; i < n * stride - (stride - 1); i++)
        if (buffer[i] != (i % stride == 0 ? value(root, i / stride) : -1)) {
            CHECK_FAILED("typed bcast of %d ints from %d: wrong at %d", n, root, i);
            break;
        }
    OK(MPI_Type_free(&type));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    int *buffer = get_memory((2 * LARGEST + 1) * sizeof(int));
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (int root = 0; root < world_size && (counts[c] < 70000 || root < 3); root++) {
            plain(counts[c], root, buffer);
            if (counts[c] > 0)
                typed(counts[c], root, buffer);
        }
    free(buffer);
    return finish();
}
