/* Hundreds of communicators alive at once, thousands in turn: nothing runs out, nothing mixes. */
#include "check.h"

enum { ALIVE = 300, TURNS = 1500 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm *comm = get_memory(ALIVE * sizeof *comm);
    for (int i = 0; i < ALIVE; i++)
        if (i % 3 == 2)
            OK(MPI_Comm_split(MPI_COMM_WORLD, 0, world_rank, &comm[i]));
        else
            OK(MPI_Comm_dup(i > 5 ? comm[i / 2] : MPI_COMM_WORLD, &comm[i]));
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    MPI_Request *request = get_memory(2 * ALIVE * sizeof *request);
    int *out = get_memory(ALIVE * sizeof(int)), *in = get_memory(ALIVE * sizeof(int));
    for (int i = 0; i < ALIVE; i++) {
        out[i] = world_rank * 1000 + i;
        OK(MPI_Irecv(&in[i], 1, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, comm[i], &request[i]));
    }
    for (int i = ALIVE - 1; i >= 0; i--)
        OK(MPI_Isend(&out[i], 1, MPI_INT, right, 1, comm[i], &request[ALIVE + i]));
    OK(MPI_Waitall(2 * ALIVE, request, MPI_STATUSES_IGNORE));
    for (int i = 0; i < ALIVE; i++)
        EQ(in[i], left * 1000 + i);
    for (int i = 0; i < ALIVE; i++)
        OK(MPI_Comm_free(&comm[(i * 7) % ALIVE]));
    for (int turn = 0; turn < TURNS; turn++) {
        MPI_Comm brief;
        int sum = -1;
        OK(MPI_Comm_dup(MPI_COMM_WORLD, &brief));
        if (turn % 50 == 0) {
            OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, brief));
            EQ(sum, world_size * (world_size - 1) / 2);
        }
        OK(MPI_Comm_free(&brief));
    }
    free(comm);
    free(request);
    free(in);
    free(out);
    return finish();
}
