/* Collectives on more communicators at once than the library has memory of its own to share among their members, on halves of the
 * world beside the whole, and again on new ones after the old are freed. */
#include "check.h"

enum { COMMS = 40, ROUNDS = 6, WORDS = 3000 };

/* Every kind of call, long enough on each communicator for whatever the library sets up after the first few. */
static void use(MPI_Comm comm, int *words, int serial) {
    int rank, size;
    OK(MPI_Comm_rank(comm, &rank));
    OK(MPI_Comm_size(comm, &size));
    for (int round = 0; round < ROUNDS; round++) {
        int root = (serial + round) % size, mine = rank + serial, sum = -1, before = 0;
        OK(MPI_Barrier(comm));
        OK(MPI_Allreduce(&mine, &sum, 1, MPI_INT, MPI_SUM, comm));
        EQ(sum, size * (size - 1) / 2 + size * serial);
        int n = round % 2 ? WORDS : 2;
        for (int i = 0; i < n; i++)
            words[i] = rank == root ? serial + i : -1;
        OK(MPI_Bcast(words, n, MPI_INT, root, comm));
        EQ(words[n - 1], serial + n - 1);
        OK(MPI_Exscan(&mine, &before, 1, MPI_INT, MPI_SUM, comm));
        if (rank > 0)
            EQ(before, rank * (rank - 1) / 2 + rank * serial);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *words = get_memory(WORDS * sizeof(int));
    MPI_Comm comms[COMMS];
    for (int again = 0; again < 2; again++) {
        for (int i = 0; i < COMMS; i++) {
            if (i % 3 == 2)
                OK(MPI_Comm_split(MPI_COMM_WORLD, world_rank % 2, -world_rank, &comms[i]));
            else
                OK(MPI_Comm_dup(MPI_COMM_WORLD, &comms[i]));
            use(comms[i], words, i);
        }
        /* All are still there. */
        for (int i = COMMS - 1; i >= 0; i--) {
            use(comms[i], words, 100 + i);
            OK(MPI_Comm_free(&comms[i]));
        }
    }
    free(words);
    return finish();
}
