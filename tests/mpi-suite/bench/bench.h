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

/* No program uses all of this. */
#define UNUSED __attribute__((unused))

static int rank, ranks;

/* A cell's value is the median of this many batches of about so many seconds. Where more ranks than cores take turns, a
 * batch has to see many turns. */
enum { BATCHES = 5, BATCHES_CROWDED = 3 };
static const double BATCH_SECONDS = 0.008, BATCH_SECONDS_CROWDED = 0.025;
static int crowded;

/* Rank r on the r-th of the cores that the program may use, after MPI_Init: what a library decides by counting its
 * cores is not disturbed, and all are pinned alike. With more ranks than cores nobody is pinned: who runs where is the
 * kernel's business there, as in any such job. */
static void pin(void) {
    cpu_set_t allowed, mine;
    int seen = 0;
    CPU_ZERO(&allowed);
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    crowded = ranks > CPU_COUNT(&allowed);
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &allowed) && seen++ == rank)
            CPU_SET(core, &mine);
    if (!crowded)
        sched_setaffinity(0, sizeof mine, &mine);
}

/* As `begin`, for jobs that share their cores with others: not pinned. */
static UNUSED void begin_unpinned(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
}

static UNUSED void begin(int *argc, char ***argv) {
    begin_unpinned(argc, argv);
    pin();
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs `batch(bytes, n)` often enough for the median of the seconds per repetition; all ranks agree on n. */
static UNUSED double seconds_each(void (*batch)(size_t bytes, int n), size_t bytes) {
    double seconds[BATCHES], wanted = crowded ? BATCH_SECONDS_CROWDED : BATCH_SECONDS;
    int n = 1, batches = crowded ? BATCHES_CROWDED : BATCHES;
    /* How many repetitions make a batch: doubled until they take a good part of one. */
    for (;;) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        batch(bytes, n);
        double took = MPI_Wtime() - start;
        MPI_Bcast(&took, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
        if (took > wanted / 2 || n > 1 << 22) {
            n = (int)(n * wanted / took) + 1;
            break;
        }
        n *= 2;
    }
    for (int i = 0; i < batches; i++) {
        MPI_Barrier(MPI_COMM_WORLD);
        double start = MPI_Wtime();
        batch(bytes, n);
        seconds[i] = (MPI_Wtime() - start) / n;
    }
    qsort(seconds, (size_t)batches, sizeof *seconds, by_value);
    return seconds[batches / 2];
}

/* As above, of the rank that it takes longest. */
static UNUSED double seconds_of_slowest(void (*batch)(size_t bytes, int n), size_t bytes) {
    double mine = seconds_each(batch, bytes), slowest = 0;
    MPI_Reduce(&mine, &slowest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    return slowest;
}

static UNUSED void cell(const char *test, size_t bytes, const char *unit, double value) {
    if (rank != 0)
        return;
    printf("{\"test\":\"%s\",\"ranks\":%d,\"bytes\":%zu,\"unit\":\"%s\",\"value\":%.6g}\n", test, ranks, bytes, unit,
           value);
    fflush(stdout);
}

/* Page-aligned and touched. */
static UNUSED char *buffer_of(size_t bytes) {
    void *memory = NULL;
    if (posix_memalign(&memory, 4096, bytes) != 0) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    memset(memory, rank + 1, bytes);
    return memory;
}

/* Computation that needs no memory: so many steps, each waiting for the one before. */
static UNUSED void compute(long steps) {
    double x = 1;
    for (long i = 0; i < steps; i++) {
        x = x * 0.999 + 0.001;
        /* The compiler may not leave out steps whose result nobody reads. */
        __asm__ volatile("" : "+m"(x));
    }
}

#endif
