/* How far the slow ones are from the usual: the 99th and the 99.9th percentile over the median, of the round trip of 8
 * bytes and of the allreduce of 8 bytes, each of 10^6 timed singly at rank 0. With an argument, that is what the tests'
 * names end in, and nobody is pinned: for runs beside others. */
#include "bench.h"
#include <stdint.h>
#include <time.h>

enum { ROUNDS = 1000000, WARM = 10000 };
static uint32_t taken_ns[ROUNDS];
static const char *suffix = "";

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void ping_pong(void) {
    double value = 0;
    if (rank == 0)
        MPI_Send(&value, 1, MPI_DOUBLE, 1, 1, MPI_COMM_WORLD);
    if (rank < 2)
        MPI_Recv(&value, 1, MPI_DOUBLE, 1 - rank, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    if (rank == 1)
        MPI_Send(&value, 1, MPI_DOUBLE, 0, 1, MPI_COMM_WORLD);
}

static void allreduce(void) {
    double value = 1, sum;
    MPI_Allreduce(&value, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

static int by_time(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(const char *what, const char *which, const char *unit, double value) {
    char test[64];
    snprintf(test, sizeof test, "%s_%s%s", what, which, suffix);
    cell(test, 8, unit, value);
}

static void measure(const char *what, void (*once)(void)) {
    for (int i = 0; i < WARM; i++)
        once();
    int64_t before = now_ns();
    for (int i = 0; i < ROUNDS; i++) {
        once();
        int64_t after = now_ns(), took = after - before;
        taken_ns[i] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
        before = after;
    }
    if (rank != 0)
        return;
    qsort(taken_ns, ROUNDS, sizeof *taken_ns, by_time);
    double median = taken_ns[ROUNDS / 2];
    report(what, "median", "us", median / 1e3);
    report(what, "p99", "x", taken_ns[ROUNDS / 100 * 99] / median);
    report(what, "p999", "x", taken_ns[ROUNDS / 1000 * 999] / median);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        begin_unpinned(&argc, &argv);
        suffix = argv[1];
    } else {
        begin(&argc, &argv);
    }
    memset(taken_ns, 0, sizeof taken_ns);
    measure("pingpong", ping_pong);
    measure("allreduce", allreduce);
    MPI_Finalize();
    return 0;
}
