/* Receives match in the order they were posted, wildcards among exact ones included (MPI 5.0 section 3.5). */
#include "check.h"

enum { ROUNDS = 50 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    for (int round = 0; round < ROUNDS; round++) {
        if (world_rank == 1) {
            /* Slot by slot: which of the six messages below must land there. */
            static const struct {
                int source, tag, value;
            } posted[] = {
                {0, 7, 10},                          /* the first with tag 7 */
                {MPI_ANY_SOURCE, MPI_ANY_TAG, 11},   /* the first that slot 0 leaves: tag 5 */
                {0, MPI_ANY_TAG, 12},                /* the second tag 7 */
                {MPI_ANY_SOURCE, 5, 14},             /* the second tag 5: slot 4 was posted later */
                {0, 6, 13},                          /* the only tag 6 */
                {MPI_ANY_SOURCE, MPI_ANY_TAG, 15},
            };
            int value[6] = {0};
            MPI_Request request[6];
            MPI_Status status[6];
            for (int i = 0; i < 6; i++)
                OK(MPI_Irecv(&value[i], 1, MPI_INT, posted[i].source, posted[i].tag, MPI_COMM_WORLD, &request[i]));
            OK(MPI_Send(NULL, 0, MPI_INT, 0, 0, MPI_COMM_WORLD));
            OK(MPI_Waitall(6, request, status));
            for (int i = 0; i < 6; i++) {
                EQ(value[i], posted[i].value + 100 * round);
                EQ(status[i].MPI_SOURCE, 0);
                if (posted[i].tag != MPI_ANY_TAG)
                    EQ(status[i].MPI_TAG, posted[i].tag);
            }
        } else if (world_rank == 0) {
            static const int tags[] = {7, 5, 7, 6, 5, 8};
            OK(MPI_Recv(NULL, 0, MPI_INT, 1, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            for (int i = 0; i < 6; i++) {
                int value = 10 + i + 100 * round;
                OK(MPI_Send(&value, 1, MPI_INT, 1, tags[i], MPI_COMM_WORLD));
            }
        }
    }
    return finish();
}
