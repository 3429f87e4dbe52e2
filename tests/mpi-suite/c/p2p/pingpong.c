/* Blocking send and receive of every size class, both directions (MPI 5.0 section 3.2). */
#include "check.h"

static const size_t sizes[] = {0,    1,    2,     7,     8,     39,    40,    41,     56,      64,      100,  512,
                               1000, 4095, 4096,  8191,  8192,  16384, 32767, 65536,  65537,   131072,  262143,
                               262144, 262145, 524288, 1048576, 2097153, 4194304};

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *out = get_memory(4194304), *in = get_memory(4194304 + 1);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        size_t n = sizes[k];
        /* Two turns: the second meets buffers and queues that were used before. */
        for (int turn = 0; turn < 2 && world_rank < 2; turn++) {
            int peer = 1 - world_rank, tag = (int)k * 2 + turn;
            MPI_Status status;
            int count = -1;
            fill_pattern(out, n, (unsigned)(tag * 2 + world_rank));
            memset(in, 0xA5, n + 1);
            if (world_rank == 0)
                OK(MPI_Send(out, (int)n, MPI_BYTE, peer, tag, MPI_COMM_WORLD));
            OK(MPI_Recv(in, (int)n, MPI_BYTE, peer, tag, MPI_COMM_WORLD, &status));
            if (world_rank == 1)
                OK(MPI_Send(out, (int)n, MPI_BYTE, peer, tag, MPI_COMM_WORLD));
            CHECK_PATTERN(in, n, (unsigned)(tag * 2 + peer));
            EQ(in[n], 0xA5);
            EQ(status.MPI_SOURCE, peer);
            EQ(status.MPI_TAG, tag);
            OK(MPI_Get_count(&status, MPI_BYTE, &count));
            EQ(count, n);
        }
    }
    free(out);
    free(in);
    return finish();
}
