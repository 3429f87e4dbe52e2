/* What the machine itself can do, without any MPI: the way of a cache line from one core to the other, and memcpy.
 * Prints one JSON object. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURNS = 200000 };

static _Alignas(128) atomic_int line;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pin(int nth) {
    cpu_set_t allowed, mine;
    int seen = 0;
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &allowed) && seen++ == nth % CPU_COUNT(&allowed))
            CPU_SET(core, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
}

static void *answer(void *unused) {
    pin(1);
    for (int i = 0; i < TURNS; i++) {
        while (atomic_load_explicit(&line, memory_order_acquire) != 2 * i + 1)
            ;
        atomic_store_explicit(&line, 2 * i + 2, memory_order_release);
    }
    return unused;
}

static double cache_line_ns(void) {
    pthread_t thread;
    cpu_set_t all;
    sched_getaffinity(0, sizeof all, &all);
    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        exit(1);
    pin(0);
    double start = now();
    for (int i = 0; i < TURNS; i++) {
        atomic_store_explicit(&line, 2 * i + 1, memory_order_release);
        while (atomic_load_explicit(&line, memory_order_acquire) != 2 * i + 2)
            ;
    }
    double took = now() - start;
    pthread_join(thread, NULL);
    sched_setaffinity(0, sizeof all, &all);
    return took / TURNS / 2 * 1e9;
}

static double memcpy_mb_s(size_t bytes) {
    char *from = aligned_alloc(4096, bytes), *to = aligned_alloc(4096, bytes);
    int n = (int)((256u << 20) / bytes);
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    double start = now();
    for (int i = 0; i < n; i++) {
        memcpy(to, from, bytes);
        /* The compiler may not leave out copies whose result nobody reads. */
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    double took = now() - start;
    free(from);
    free(to);
    return (double)bytes * n / took / 1e6;
}

int main(void) {
    printf("{\"cache_line_ns\":%.1f,\"memcpy_64KiB_MBps\":%.0f,\"memcpy_1MiB_MBps\":%.0f,\"memcpy_16MiB_MBps\":%.0f}\n",
           cache_line_ns(), memcpy_mb_s(64 << 10), memcpy_mb_s(1 << 20), memcpy_mb_s(16 << 20));
    return 0;
}
