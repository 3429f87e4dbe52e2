/* A root may run ahead of its receivers, and senders ahead of their root, without losing, mixing or blocking
 * anything: a thousand broadcasts, gathers and reductions with nothing between them. */
#include "check.h"

enum { TURNS = 1000, WORDS = 300 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *words = get_memory(WORDS * sizeof(int)), *all = get_memory((size_t)world_size * sizeof(int));
    for (int turn = 0; turn < TURNS; turn++) {
        int n = turn % 100 == 99 ? WORDS : 1 + turn % 5;
        for (int i = 0; i < n; i++)
            words[i] = world_rank == 0 ? turn + i : -1;
        OK(MPI_Bcast(words, n, MPI_INT, 0, MPI_COMM_WORLD));
        EQ(words[0], turn);
        EQ(words[n - 1], turn + n - 1);
    }
    for (int turn = 0; turn < TURNS; turn++) {
        int mine = turn * 10 + world_rank, least = -1;
        OK(MPI_Gather(&mine, 1, MPI_INT, all, 1, MPI_INT, world_size - 1, MPI_COMM_WORLD));
        if (world_rank == world_size - 1)
            for (int rank = 0; rank < world_size; rank++)
                EQ(all[rank], turn * 10 + rank);
        OK(MPI_Reduce(&mine, &least, 1, MPI_INT, MPI_MIN, 0, MPI_COMM_WORLD));
        if (world_rank == 0)
            EQ(least, turn * 10);
    }
    /* roots in turn */
    for (int turn = 0; turn < TURNS; turn++) {
        int value = world_rank == turn % world_size ? turn : -1;
        OK(MPI_Bcast(&value, 1, MPI_INT, turn % world_size, MPI_COMM_WORLD));
        EQ(value, turn);
    }
    free(words);
    free(all);
    return finish();
}
