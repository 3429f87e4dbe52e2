/* All ranks send to rank 0 at once and keep going: each finds its own flow control, none starves, order holds. Small
 * blocking sends and large ones alternate, rank 0 takes them by wildcard, by source, and late. */
#include "check.h"

enum { EACH = 600, LARGE = 40000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    int *buffer = get_memory(LARGE * sizeof(int));
    if (world_rank > 0) {
        for (int i = 0; i < EACH; i++) {
            int words = i % 50 == 49 ? LARGE : 1 + i % 20;
            buffer[0] = i;
            buffer[words - 1] = words == 1 ? i : i + world_rank;
            OK(MPI_Send(buffer, words, MPI_INT, 0, 0, MPI_COMM_WORLD));
        }
    } else {
        int *next = calloc((size_t)world_size, sizeof(int));
        /* first half by wildcard, then one source after the other */
        int taken = 0, half = EACH * (world_size - 1) / 2;
        MPI_Status status;
        while (taken < half) {
            OK(MPI_Recv(buffer, LARGE, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, &status));
            EQ(buffer[0], next[status.MPI_SOURCE]);
            next[status.MPI_SOURCE]++;
            taken++;
        }
        for (int source = world_size - 1; source > 0; source--)
            while (next[source] < EACH) {
                int i = next[source]++, words = i % 50 == 49 ? LARGE : 1 + i % 20, count;
                OK(MPI_Recv(buffer, LARGE, MPI_INT, source, 0, MPI_COMM_WORLD, &status));
                OK(MPI_Get_count(&status, MPI_INT, &count));
                EQ(count, words);
                EQ(buffer[0], i);
                if (words > 1)
                    EQ(buffer[words - 1], i + source);
            }
        free(next);
    }
    free(buffer);
    return finish();
}
