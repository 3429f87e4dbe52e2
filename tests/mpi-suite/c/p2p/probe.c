/* Probe and iprobe tell source, tag and size of the message that a receive would take (MPI 5.0 section 3.8). */
#include "check.h"

static const int sizes[] = {0, 1, 8, 41, 1000, 5000, 66000, 1048576};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGEST = 1048576, UNUSED_TAG = 555 };

static void receive_probed(int k, int source, int tag, unsigned char *in) {
    MPI_Status status, again;
    int flag = 0, count = -1;
    if (k % 2) {
        OK(MPI_Probe(source, tag, MPI_COMM_WORLD, &status));
    } else {
        while (!flag)
            OK(MPI_Iprobe(source, tag, MPI_COMM_WORLD, &flag, &status));
    }
    EQ(status.MPI_SOURCE, 0);
    EQ(status.MPI_TAG, k);
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, sizes[k]);
    /* Nothing was taken: the same message is found again. */
    OK(MPI_Iprobe(status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &flag, &again));
    CHECK(flag);
    OK(MPI_Iprobe(MPI_ANY_SOURCE, UNUSED_TAG, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE));
    CHECK(!flag);
    OK(MPI_Recv(in, count, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, &again));
    CHECK_PATTERN(in, (size_t)count, k);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *buffer = get_memory(LARGEST);
    for (int variant = 0; variant < 4; variant++)
        for (int k = 0; k < SIZES; k++) {
            if (world_rank == 0) {
                fill_pattern(buffer, (size_t)sizes[k], (unsigned)k);
                OK(MPI_Send(buffer, sizes[k], MPI_BYTE, 1, k, MPI_COMM_WORLD));
            } else if (world_rank == 1) {
                receive_probed(k, variant & 1 ? MPI_ANY_SOURCE : 0, variant & 2 ? MPI_ANY_TAG : k, buffer);
            }
        }
    /* A probe of MPI_PROC_NULL returns at once (section 3.10). */
    MPI_Status status;
    int flag = 0, count = -1;
    OK(MPI_Probe(MPI_PROC_NULL, 0, MPI_COMM_WORLD, &status));
    EQ(status.MPI_SOURCE, MPI_PROC_NULL);
    EQ(status.MPI_TAG, MPI_ANY_TAG);
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, 0);
    OK(MPI_Iprobe(MPI_PROC_NULL, 0, MPI_COMM_WORLD, &flag, &status));
    CHECK(flag);
    free(buffer);
    return finish();
}
