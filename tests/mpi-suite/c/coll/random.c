/* A random sequence of collectives that all ranks draw from one seed: on the world, its halves and its parity
 * classes, any root, any size. Arguments: seed, number. */
#include "check.h"

enum { LARGEST = 30000 };

static int value(int rank, int i, int turn) {
    return rank * 100003 + i * 31 + turn;
}

static int *in, *out;

static void one(uint64_t *state, MPI_Comm comm, int turn) {
    int rank, size;
    OK(MPI_Comm_rank(comm, &rank));
    OK(MPI_Comm_size(comm, &size));
    static const int limits[] = {4, 50, 1000, 8000, LARGEST};
    int n = (int)(random_next(state) % (uint32_t)limits[random_next(state) % 5]) + 1;
    /* Communicators of one split may differ in size by one: the root exists in all of them. */
    int root = (int)(random_next(state) % (uint32_t)(world_size / 2 > 0 ? world_size / 2 : 1));
    int kind = (int)(random_next(state) % 6);
    for (int i = 0; i < n; i++)
        in[i] = value(rank, i, turn);
    memset(out, 0xFF, (size_t)n * (size_t)size * sizeof(int));
    int from, at, wrong = -1;
    switch (kind) {
    case 0:
        OK(MPI_Bcast(in, n, MPI_INT, root, comm));
        for (int i = 0; i < n && wrong < 0; i++)
            wrong = in[i] == value(root, i, turn) ? -1 : i;
        break;
    case 1:
        OK(MPI_Allreduce(in, out, n, MPI_INT, MPI_MAX, comm));
        for (int i = 0; i < n && wrong < 0; i++)
            wrong = out[i] == value(size - 1, i, turn) ? -1 : i;
        break;
    case 2:
        OK(MPI_Allgather(in, n, MPI_INT, out, n, MPI_INT, comm));
        for (int i = 0; i < n * size && wrong < 0; i++)
            wrong = out[i] == value(i / n, i % n, turn) ? -1 : i;
        break;
    case 3:
        at = n / size;
        OK(MPI_Alltoall(in, at, MPI_INT, out, at, MPI_INT, comm));
        for (from = 0; from < size; from++)
            for (int i = 0; i < at && wrong < 0; i++)
                wrong = out[from * at + i] == value(from, rank * at + i, turn) ? -1 : i;
        break;
    case 4:
        OK(MPI_Reduce(in, out, n, MPI_INT, MPI_MIN, root, comm));
        for (int i = 0; rank == root && i < n && wrong < 0; i++)
            wrong = out[i] == value(0, i, turn) ? -1 : i;
        break;
    case 5:
        OK(MPI_Gather(in, n, MPI_INT, out, n, MPI_INT, root, comm));
        for (int i = 0; rank == root && i < n * size && wrong < 0; i++)
            wrong = out[i] == value(i / n, i % n, turn) ? -1 : i;
        break;
    }
    CHECK_MSG(wrong < 0, "turn %d, kind %d of %d ints, root %d of %d: wrong at %d", turn, kind, n, root, size, wrong);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int turns = argc > 2 ? atoi(argv[2]) : 300;
    MPI_Comm comm[3] = {MPI_COMM_WORLD};
    OK(MPI_Comm_split(MPI_COMM_WORLD, world_rank < world_size / 2, 0, &comm[1]));
    OK(MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, -world_rank, &comm[2]));
    in = get_memory(LARGEST * sizeof(int));
    out = get_memory((size_t)LARGEST * (size_t)world_size * sizeof(int));
    for (int turn = 0; turn < turns; turn++)
        one(&state, comm[random_next(&state) % 3], turn);
    OK(MPI_Comm_free(&comm[1]));
    OK(MPI_Comm_free(&comm[2]));
    free(in);
    free(out);
    return finish();
}
