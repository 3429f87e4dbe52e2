/* Messages between two ranks do not overtake each other when one receive could take both (MPI 5.0 section 3.5),
 * whatever protocols their sizes choose; messages with different tags may be received in any order. */
#include "check.h"

enum { MESSAGES = 60, LARGEST = 600000, TAG = 3 };

static int size_of(int i) {
    static const int sizes[] = {4, 600000, 0, 70000, 8, 4096, 200, 262144, 1, 40, 33000};
    return sizes[i % (int)(sizeof sizes / sizeof *sizes)];
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    unsigned char *in = get_memory(LARGEST), *out[MESSAGES];
    MPI_Request request[MESSAGES];
    MPI_Status status;
    if (world_rank == 0) {
        for (int i = 0; i < MESSAGES; i++) {
            out[i] = get_memory((size_t)size_of(i));
            fill_pattern(out[i], (size_t)size_of(i), (unsigned)i);
        }
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < MESSAGES; i++)
                OK(MPI_Isend(out[i], size_of(i), MPI_BYTE, 1, round == 0 ? TAG : i, MPI_COMM_WORLD, &request[i]));
            OK(MPI_Waitall(MESSAGES, request, MPI_STATUSES_IGNORE));
        }
        for (int i = 0; i < MESSAGES; i++)
            free(out[i]);
    } else if (world_rank == 1) {
        int count;
        /* One tag: in the order of sending, by the tag, by a wildcard, or probed first. */
        for (int i = 0; i < MESSAGES; i++) {
            int tag = i % 2 ? TAG : MPI_ANY_TAG, source = i % 3 ? 0 : MPI_ANY_SOURCE;
            if (i % 5 == 0)
                OK(MPI_Probe(source, tag, MPI_COMM_WORLD, &status));
            OK(MPI_Recv(in, LARGEST, MPI_BYTE, source, tag, MPI_COMM_WORLD, &status));
            OK(MPI_Get_count(&status, MPI_BYTE, &count));
            EQ(count, size_of(i));
            CHECK_PATTERN(in, (size_t)count, i);
        }
        /* A tag each: backwards. */
        for (int i = MESSAGES - 1; i >= 0; i--) {
            OK(MPI_Recv(in, LARGEST, MPI_BYTE, 0, i, MPI_COMM_WORLD, &status));
            OK(MPI_Get_count(&status, MPI_BYTE, &count));
            EQ(count, size_of(i));
            CHECK_PATTERN(in, (size_t)count, i);
        }
    }
    free(in);
    return finish();
}
