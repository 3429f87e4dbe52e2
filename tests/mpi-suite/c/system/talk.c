/* All ranks talk to their neighbours, and each word is checked, until rank 0's input ends. */
#include "check.h"
#include <poll.h>

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int next = (world_rank + 1) % world_size, before = (world_rank + world_size - 1) % world_size, go = 1;
    for (int round = 0; go; round++) {
        static int out[3000], in[3000];
        int count = round % 10 ? 2 : 3000;
        for (int i = 0; i < count; i++)
            out[i] = round * 100 + world_rank + i;
        OK(MPI_Sendrecv(out, count, MPI_INT, next, 0, in, count, MPI_INT, before, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (int i = 0; i < count; i++)
            EQ(in[i], round * 100 + before + i);
        if (world_rank == 0) {
            if (round == 0) {
                printf("%d ranks talk\n", world_size);
                fflush(stdout);
            }
            struct pollfd input = {0, POLLIN, 0};
            go = poll(&input, 1, 0) == 0;
        }
        OK(MPI_Bcast(&go, 1, MPI_INT, 0, MPI_COMM_WORLD));
    }
    return finish();
}
