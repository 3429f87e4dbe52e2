/* Nobody leaves a barrier before the last has entered. Whoever leaves says so to the latecomer, who looks out for
 * that before it enters. First argument: the form. */
#include "variants.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    MPI_Comm beside;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &beside));
    for (int round = 0; round < 100; round++) {
        int late = round % world_size, flag = 0;
        for (int i = 0; world_rank == late && i < 300 && !flag; i++)
            OK(MPI_Iprobe(MPI_ANY_SOURCE, round, beside, &flag, MPI_STATUS_IGNORE));
        CHECK_MSG(!flag, "round %d: a rank left the barrier before rank %d had entered it", round, late);
        RUN(barrier, Barrier, MPI_COMM_WORLD);
        if (world_rank != late)
            OK(MPI_Send(&round, 1, MPI_INT, late, round, beside));
        for (int i = 1; world_rank == late && i < world_size; i++) {
            int seen = -1;
            OK(MPI_Recv(&seen, 1, MPI_INT, MPI_ANY_SOURCE, round, beside, MPI_STATUS_IGNORE));
            EQ(seen, round);
        }
        RUN(barrier, Barrier, MPI_COMM_SELF);
    }
    OK(MPI_Comm_free(&beside));
    return finish();
}
