/* All collectives, in microseconds each, in a row and synchronised (`_sync`). `bytes` is the block of one rank. */
#include "collectives.h"

enum { LARGEST = 1 << 20 };

int main(int argc, char **argv) {
    static const size_t sizes[] = {8, 4096, 65536, LARGEST};
    begin(&argc, &argv);
    buffers(LARGEST);
    measure(&BARRIER, "", in_a_row, 0);
    measure(&BARRIER, "_sync", synchronised, 0);
    for (int c = 0; c < COLLECTIVES; c++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            measure(&ALL[c], "", in_a_row, sizes[s]);
            measure(&ALL[c], "_sync", synchronised, sizes[s]);
        }
    MPI_Finalize();
    return 0;
}
