/* Messages of all sizes pile up unexpected and are then taken forwards, backwards and by wildcards. */
#include "check.h"

enum { N = 1200, GO = 30000 };

static int size_of(int i) {
    static const int sizes[] = {0, 4, 40, 44, 200, 1024, 3000, 9000, 33000, 140000};
    return sizes[(i * 7 + i / 10) % 10];
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *buffer = get_memory(140000);
    for (int direction = 0; direction < 3; direction++) {
        if (world_rank == 0) {
            MPI_Request *request = get_memory(N * sizeof *request);
            unsigned char **out = get_memory(N * sizeof *out);
            for (int i = 0; i < N; i++) {
                out[i] = get_memory((size_t)size_of(i));
                fill_pattern(out[i], (size_t)size_of(i), (unsigned)i);
                OK(MPI_Isend(out[i], size_of(i), MPI_BYTE, 1, i, MPI_COMM_WORLD, &request[i]));
            }
            OK(MPI_Send(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD));
            OK(MPI_Waitall(N, request, MPI_STATUSES_IGNORE));
            for (int i = 0; i < N; i++)
                free(out[i]);
            free(out);
            free(request);
        } else if (world_rank == 1) {
            OK(MPI_Recv(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
            for (int k = 0; k < N; k++) {
                MPI_Status status;
                int i = direction == 1 ? N - 1 - k : k, count = -1;
                int tag = direction == 2 ? MPI_ANY_TAG : i;
                OK(MPI_Recv(buffer, 140000, MPI_BYTE, MPI_ANY_SOURCE, tag, MPI_COMM_WORLD, &status));
                EQ(status.MPI_TAG, i);
                OK(MPI_Get_count(&status, MPI_BYTE, &count));
                EQ(count, size_of(i));
                CHECK_PATTERN(buffer, (size_t)count, i);
            }
        }
    }
    free(buffer);
    return finish();
}
