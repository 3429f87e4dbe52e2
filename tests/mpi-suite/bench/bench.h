/* What the benchmark programs share: pinning, timing, one JSON line per cell. They compile with any MPI's mpicc. */
#ifndef BENCH_H
#define BENCH_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <mpi.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int rank, ranks;

/* A cell's value is the median of this many batches of about so many seconds. */
enum { BATCHES = 5 };
static const double BATCH_SECONDS = 0.008;

/* Rank r on the r-th of the cores that the program may use, after MPI_Init: what a library decides by counting its
 * cores is not disturbed, and all are pinned alike. */
static void pin(void) {
    cpu_set_t allowed, mine;
    int seen = 0;
    CPU_ZERO(&allowed);
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    int wanted = rank % CPU_COUNT(&allowed);
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &allowed) && seen++ == wanted)
            CPU_SET(core, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
}

static void begin(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    pin();
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs `batch(bytes, n)` often enough for the median of the seconds per repetition; all ranks agree on n. */
static double seconds_each(void (*batch)(size_t bytes, int n), size_t bytes) {
    double seconds[BATCHES];
    int n = 1;
    /* How many repetitions make a batch: doubled until they take a good part of one. */
    for (;;) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        batch(bytes, n);
        double took = MPI_Wtime() - start;
        MPI_Bcast(&took, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
        if (took > BATCH_SECONDS / 2 || n > 1 << 22) {
            n = (int)(n * BATCH_SECONDS / took) + 1;
            break;
        }
        n *= 2;
    }
    for (int i = 0; i < BATCHES; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        batch(bytes, n);
        seconds[i] = (MPI_Wtime() - start) / n;
    }
    qsort(seconds, BATCHES, sizeof *seconds, by_value);
    return seconds[BATCHES / 2];
}

static void cell(const char *test, size_t bytes, const char *unit, double value) {
    if (rank != 0)
        return;
    printf("{\"test\":\"%s\",\"ranks\":%d,\"bytes\":%zu,\"unit\":\"%s\",\"value\":%.6g}\n", test, ranks, bytes, unit,
           value);
    fflush(stdout);
}

/* Page-aligned and touched. */
static char *buffer_of(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, bytes) != 0) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    memset(memory, rank + 1, bytes);
    return memory;
}

#endif
