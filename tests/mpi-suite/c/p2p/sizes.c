/* Every size up to 2,200 bytes and around every power of two up to 4 MiB: each switch of protocol is somewhere there.
 * Half of the receives are posted early, half find the message waiting. */
#include "check.h"

enum { LARGEST = (4 << 20) + 3, WINDOW = 16, GO = 1 };

static int next_size(int n) {
    if (n < 2200)
        return n + 1;
    int power = 1;
    while (power <= n + 3)
        power *= 2;
    /* n lies in power/2 - 3 … power - 4 */
    if (n < power / 2 + 3)
        return n + 1;
    return power - 3;
}

static void one_window(const int *size, int count, unsigned char *const *buffer, int early) {
    MPI_Request request[WINDOW];
    if (world_rank == 0) {
        if (early)
            OK(MPI_Recv(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (int i = 0; i < count; i++) {
            fill_pattern(buffer[i], (size_t)size[i], (unsigned)size[i]);
            OK(MPI_Isend(buffer[i], size[i], MPI_BYTE, 1, 100 + i, MPI_COMM_WORLD, &request[i]));
        }
        if (!early)
            OK(MPI_Send(NULL, 0, MPI_BYTE, 1, GO, MPI_COMM_WORLD));
        OK(MPI_Waitall(count, request, MPI_STATUSES_IGNORE));
    } else {
        if (!early)
            OK(MPI_Recv(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (int i = 0; i < count; i++) {
            memset(buffer[i], 0x5A, (size_t)size[i] + 1);
            OK(MPI_Irecv(buffer[i], size[i], MPI_BYTE, 0, 100 + i, MPI_COMM_WORLD, &request[i]));
        }
        if (early)
            OK(MPI_Send(NULL, 0, MPI_BYTE, 0, GO, MPI_COMM_WORLD));
        OK(MPI_Waitall(count, request, MPI_STATUSES_IGNORE));
        for (int i = 0; i < count; i++) {
            CHECK_PATTERN(buffer[i], (size_t)size[i], size[i]);
            EQ(buffer[i][size[i]], 0x5A);
        }
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    if (world_rank < 2) {
        unsigned char *buffer[WINDOW];
        for (int i = 0; i < WINDOW; i++)
            buffer[i] = get_memory(LARGEST + 1);
        int size[WINDOW], count = 0, window = 0;
        for (int n = 0; n <= LARGEST; n = next_size(n)) {
            size[count++] = n;
            if (count == WINDOW || next_size(n) > LARGEST) {
                one_window(size, count, buffer, window++ % 2);
                count = 0;
            }
        }
        for (int i = 0; i < WINDOW; i++)
            free(buffer[i]);
    }
    return finish();
}
