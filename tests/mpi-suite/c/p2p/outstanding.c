/* Thousands of requests in flight at once, completed out of order, between all pairs. */
#include "check.h"

enum { EACH = 1500, WORDS = 24 };

static int word(int from, int to, int i, int w) {
    return ((from * 31 + to) * 10007 + i) * 7 + w;
}

static int words_of(int i) {
    return i % 97 == 96 ? 5000 : 1 + i % WORDS;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int total = EACH * world_size;
    MPI_Request *request = get_memory(2 * (size_t)total * sizeof *request);
    int **out = get_memory((size_t)total * sizeof *out), **in = get_memory((size_t)total * sizeof *in);
    for (int k = 0; k < total; k++) {
        int peer = k / EACH, i = k % EACH;
        out[k] = get_memory((size_t)words_of(i) * sizeof(int));
        in[k] = calloc((size_t)words_of(i), sizeof(int));
        for (int w = 0; w < words_of(i); w++)
            out[k][w] = word(world_rank, peer, i, w);
    }
    /* Receives are posted forwards, sends go out backwards: nearly nothing matches at the head of the queue. */
    for (int k = 0; k < total; k++)
        OK(MPI_Irecv(in[k], words_of(k % EACH), MPI_INT, k / EACH, k % EACH, MPI_COMM_WORLD, &request[k]));
    for (int k = total - 1; k >= 0; k--)
        OK(MPI_Isend(out[k], words_of(k % EACH), MPI_INT, k / EACH, k % EACH, MPI_COMM_WORLD, &request[total + k]));
    OK(MPI_Waitall(2 * total, request, MPI_STATUSES_IGNORE));
    for (int k = 0; k < total; k++) {
        int peer = k / EACH, i = k % EACH;
        for (int w = 0; w < words_of(i); w++)
            if (in[k][w] != word(peer, world_rank, i, w)) {
                CHECK_FAILED("message %d from %d: wrong at word %d", i, peer, w);
                break;
            }
        free(in[k]);
        free(out[k]);
    }
    free(request);
    free(in);
    free(out);
    return finish();
}
