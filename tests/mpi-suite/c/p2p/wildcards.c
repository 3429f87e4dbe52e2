/* MPI_ANY_SOURCE and MPI_ANY_TAG with several senders: everything arrives once, in order per sender. */
#include "check.h"

enum { EACH = 400, WORDS_MAX = 6000 };

static int words_of(int i) {
    return i % 37 == 0 ? WORDS_MAX : 2 + i % 5;
}

static void send_all(void) {
    int *out = get_memory(WORDS_MAX * sizeof(int));
    for (int i = 0; i < EACH; i++) {
        int words = words_of(i);
        for (int w = 0; w < words; w++)
            out[w] = world_rank * 1000000 + i;
        OK(MPI_Send(out, words, MPI_INT, 0, i % 3, MPI_COMM_WORLD));
    }
    free(out);
}

static void take(const int *in, const MPI_Status *status, int *next) {
    int count = 0, source = status->MPI_SOURCE;
    OK(MPI_Get_count(status, MPI_INT, &count));
    CHECK_MSG(source > 0 && source < world_size, "source %d", source);
    int i = in[0] - source * 1000000;
    EQ(i, next[source]);
    next[source] = i + 1;
    EQ(status->MPI_TAG, i % 3);
    EQ(count, words_of(i));
    EQ(in[count - 1], in[0]);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    if (world_rank == 0) {
        int *in = get_memory(WORDS_MAX * sizeof(int)), *next = calloc((size_t)world_size, sizeof(int));
        int total = EACH * (world_size - 1);
        for (int k = 0; k < total; k++) {
            MPI_Status status;
            if (k % 4 == 3) {
                MPI_Request request;
                OK(MPI_Irecv(in, WORDS_MAX, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &request));
                OK(MPI_Wait(&request, &status));
            } else {
                OK(MPI_Recv(in, WORDS_MAX, MPI_INT, MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status));
            }
            take(in, &status, next);
        }
        for (int r = 1; r < world_size; r++)
            EQ(next[r], EACH);
        free(in);
        free(next);
    } else {
        send_all();
    }
    return finish();
}
