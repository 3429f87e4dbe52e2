/* Two ranks send each other numbered messages of random sizes as fast as they can, for so many seconds, and check each of them: its number, its length and its
 * bytes. Prints how many there were, and the longest time between two that came in a row. For networks to which something happens meanwhile. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 40000
#define WINDOW 16

/* The same on both sides, for each message in turn. */
static unsigned next(unsigned *state) {
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

static int length(unsigned *state) {
    unsigned kind = next(state) % 8, word = next(state);
    return 8 + (int)(kind < 5 ? word % 200 : kind < 7 ? word % 5000 : word % (MOST - 8));
}

static void fill(unsigned char *bytes, int count, unsigned number) {
    memcpy(bytes, &number, sizeof number);
    for (int at = 4; at < count; at++)
        bytes[at] = (unsigned char)(number * 31u + (unsigned)at * 7u + (unsigned)(at >> 8));
}

int main(int argc, char **argv) {
    static unsigned char out[WINDOW][MOST], in[WINDOW][MOST], expected[MOST];
    int rank, count, stop = 0, stopping = 0;
    double seconds = argc > 1 ? atof(argv[1]) : 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    unsigned mine = 1 + (unsigned)rank, theirs = 1 + (unsigned)!rank, number = 0;
    double start = MPI_Wtime(), last = start, longest = 0, when = 0;
    long long bytes = 0;
    while (!stop) {
        MPI_Request sends[WINDOW], receives[WINDOW];
        int lengths[WINDOW];
        for (int slot = 0; slot < WINDOW; slot++) {
            lengths[slot] = length(&theirs);
            MPI_Irecv(in[slot], MOST, MPI_BYTE, !rank, 5, MPI_COMM_WORLD, &receives[slot]);
        }
        for (int slot = 0; slot < WINDOW; slot++) {
            int size = length(&mine);
            fill(out[slot], size, number + (unsigned)slot);
            MPI_Isend(out[slot], size, MPI_BYTE, !rank, 5, MPI_COMM_WORLD, &sends[slot]);
        }
        for (int slot = 0; slot < WINDOW; slot++) {
            MPI_Status status;
            MPI_Wait(&receives[slot], &status);
            MPI_Get_count(&status, MPI_BYTE, &count);
            fill(expected, lengths[slot], number + (unsigned)slot);
            if (count != lengths[slot] || memcmp(in[slot], expected, (size_t)count)) {
                fprintf(stderr, "rank %d: message %u has %d bytes, not these %d\n", rank, number + (unsigned)slot, count, lengths[slot]);
                MPI_Abort(MPI_COMM_WORLD, 1);
            }
            bytes += count;
            double now = MPI_Wtime();
            if (now - last > longest) {
                longest = now - last;
                when = now - start;
            }
            last = now;
        }
        MPI_Waitall(WINDOW, sends, MPI_STATUSES_IGNORE);
        number += WINDOW;
        /* Both stop after the same message. */
        stopping = last - start > seconds;
        MPI_Allreduce(&stopping, &stop, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    }
    printf("rank %d: %u messages, %lld bytes; longest pause %.1f ms after %.3f s\n", rank, number, bytes, longest * 1e3, when);
    MPI_Finalize();
    return 0;
}
