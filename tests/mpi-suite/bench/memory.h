/* A process's share of the memory that it maps. */
#ifndef MEMORY_H
#define MEMORY_H

#include "bench.h"

/* Proportional set size in megabytes (10^6): pages that several processes map count for each as its part of them. */
static double pss_mb(void) {
    char line[256];
    double kib = 0;
    FILE *rollup = fopen("/proc/self/smaps_rollup", "r");
    if (rollup == NULL)
        MPI_Abort(MPI_COMM_WORLD, 1);
    while (fgets(line, sizeof line, rollup) != NULL)
        if (sscanf(line, "Pss: %lf kB", &kib) == 1)
            break;
    fclose(rollup);
    return kib * 1024 / 1e6;
}

/* The sum over all ranks, each read while all are there; at rank 0. */
static double pss_mb_of_all(void) {
    MPI_Barrier(MPI_COMM_WORLD);
    double mine = pss_mb(), all = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Reduce(&mine, &all, 1, MPI_DOUBLE, MPI_SUM, 0, MPI_COMM_WORLD);
    return all;
}

#endif
