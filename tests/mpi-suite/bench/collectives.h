/* The collectives, each as a function of the block of one rank and the root. */
#ifndef COLLECTIVES_H
#define COLLECTIVES_H

#include "bench.h"

static char *out, *in;
static int *counts;

static int doubles(size_t bytes) {
    return (int)(bytes / sizeof(double));
}

static void barrier(size_t bytes, int root) {
    (void)bytes, (void)root;
    MPI_Barrier(MPI_COMM_WORLD);
}

static void bcast(size_t bytes, int root) {
    MPI_Bcast(out, (int)bytes, MPI_CHAR, root, MPI_COMM_WORLD);
}

static void reduce(size_t bytes, int root) {
    MPI_Reduce(out, in, doubles(bytes), MPI_DOUBLE, MPI_SUM, root, MPI_COMM_WORLD);
}

static void allreduce(size_t bytes, int root) {
    (void)root;
    MPI_Allreduce(out, in, doubles(bytes), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void gather(size_t bytes, int root) {
    MPI_Gather(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, root, MPI_COMM_WORLD);
}

static void scatter(size_t bytes, int root) {
    MPI_Scatter(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, root, MPI_COMM_WORLD);
}

static void allgather(size_t bytes, int root) {
    (void)root;
    MPI_Allgather(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, MPI_COMM_WORLD);
}

static void alltoall(size_t bytes, int root) {
    (void)root;
    MPI_Alltoall(out, (int)bytes, MPI_CHAR, in, (int)bytes, MPI_CHAR, MPI_COMM_WORLD);
}

static void reduce_scatter(size_t bytes, int root) {
    (void)bytes, (void)root;
    MPI_Reduce_scatter(out, in, counts, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static void reduce_scatter_block(size_t bytes, int root) {
    (void)root;
    MPI_Reduce_scatter_block(out, in, doubles(bytes), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

struct collective {
    const char *name;
    void (*call)(size_t bytes, int root);
};

static const struct collective ALL[] = {
    {"bcast", bcast},         {"reduce", reduce},
    {"allreduce", allreduce}, {"gather", gather},
    {"scatter", scatter},     {"allgather", allgather},
    {"alltoall", alltoall},   {"reduce_scatter", reduce_scatter},
    {"reduce_scatter_block", reduce_scatter_block},
};
enum { COLLECTIVES = sizeof ALL / sizeof *ALL };

static const struct collective BARRIER = {"barrier", barrier};
static const struct collective *current;

/* The ranks take turns as the root: a single one would run ahead of its receivers, and only its own speed would be
 * measured. */
static void in_a_row(size_t bytes, int n) {
    for (int i = 0, root = 0; i < n; i++) {
        current->call(bytes, root);
        root = root + 1 == ranks ? 0 : root + 1;
    }
}

/* The root waits until the last has its result: as where the next step of a program needs it. */
static UNUSED void synchronised(size_t bytes, int n) {
    for (int i = 0; i < n; i++) {
        current->call(bytes, 0);
        if (rank != 0)
            MPI_Send(NULL, 0, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
        else
            for (int from = 1; from < ranks; from++)
                MPI_Recv(NULL, 0, MPI_CHAR, from, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

static void buffers(size_t largest) {
    out = buffer_of(largest * (size_t)ranks);
    in = buffer_of(largest * (size_t)ranks);
    counts = (int *)buffer_of(sizeof(int) * (size_t)ranks);
    /* Sums stay zeros: numbers that grow or denormals would not cost the same in each round. */
    memset(out, 0, largest * (size_t)ranks);
}

/* One cell in microseconds, as the slowest rank sees it. */
static UNUSED void measure(const struct collective *which, const char *suffix, void (*batch)(size_t, int), size_t bytes) {
    char test[64];
    snprintf(test, sizeof test, "%s%s", which->name, suffix);
    for (int i = 0; i < ranks; i++)
        counts[i] = doubles(bytes);
    current = which;
    cell(test, bytes, "us", seconds_of_slowest(batch, bytes) * 1e6);
}

#endif
