/* A barrier, an allreduce and an alltoall, whose results are checked; then it holds its place until rank 0's input ends. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Barrier(MPI_COMM_WORLD));
    int sum = 0, one = world_rank + 1;
    OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    EQ(sum, world_size * (world_size + 1) / 2);
    static int out[4096], in[4096];
    for (int peer = 0; peer < world_size; peer++)
        out[peer] = world_rank * 5000 + peer;
    OK(MPI_Alltoall(out, 1, MPI_INT, in, 1, MPI_INT, MPI_COMM_WORLD));
    for (int peer = 0; peer < world_size; peer++)
        EQ(in[peer], peer * 5000 + world_rank);
    int errors = check_errors;
    OK(MPI_Allreduce(MPI_IN_PLACE, &errors, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    if (world_rank == 0) {
        printf("%d ranks %s\n", world_size, errors ? "wrong" : "right");
        fflush(stdout);
        while (getchar() != EOF)
            ;
    }
    return finish();
}
