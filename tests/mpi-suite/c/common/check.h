/* What every program of the suite uses: begin, checks that count errors, finish.
 *
 *     #include "check.h"
 *
 *     int main(int argc, char **argv) {
 *         begin(&argc, &argv);
 *         CHECK(1 + 1 == 2);
 *         EQ(world_size, 4);
 *         OK(MPI_Barrier(MPI_COMM_WORLD));
 *         return finish();
 *     }
 *
 * A check that fails prints where, what and on which rank, and the program goes on: `finish` sums the errors of all
 * ranks, rank 0 prints "No Errors" when there are none, and every rank returns the same status. A program passes
 * when it exits with 0 and rank 0 has said "No Errors" (the convention of the MPICH test suite, so that one runner
 * judges both).
 *
 * Programs with `sim = true` in the manifest also run as coroutines of one process: they keep to this header's
 * statics (each rank has its own copy of the program), use little stack, leave `main` by returning, and use no fork,
 * thread, signal or sleep. */
#ifndef CHECK_H
#define CHECK_H

#include <mpi.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GNUC__)
#define CHECK_UNUSED __attribute__((unused))
#else
#define CHECK_UNUSED
#endif

static int world_rank CHECK_UNUSED = -1;
static int world_size CHECK_UNUSED = 0;
static int check_errors CHECK_UNUSED = 0;

/* After this many a rank only counts: a broken loop must not bury the first message. */
enum { CHECK_SHOWN_MAX = 20 };

#define CHECK_FAILED(...) check_failed(__FILE__, __LINE__, __VA_ARGS__)

/* One write for the whole line: several ranks share the terminal. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static CHECK_UNUSED void check_failed(const char *file, int line, const char *format, ...) {
    if (check_errors++ >= CHECK_SHOWN_MAX)
        return;
    char text[800];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *name = strrchr(file, '/');
    fprintf(stderr, "%s:%d: rank %d: %s\n", name ? name + 1 : file, line, world_rank, text);
}

/* The condition holds. */
#define CHECK(cond)                                                                          \
    do {                                                                                     \
        if (!(cond))                                                                         \
            CHECK_FAILED("failed: %s", #cond);                                               \
    } while (0)

/* The condition holds; the rest is a printf message that says what was seen. */
#define CHECK_MSG(cond, ...)                                                                 \
    do {                                                                                     \
        if (!(cond))                                                                         \
            CHECK_FAILED(__VA_ARGS__);                                                       \
    } while (0)

/* Two integers are equal; both are printed when not. */
#define EQ(seen, wanted)                                                                     \
    do {                                                                                     \
        long long eq_seen = (long long)(seen), eq_wanted = (long long)(wanted);              \
        if (eq_seen != eq_wanted)                                                            \
            CHECK_FAILED("%s is %lld, expected %s = %lld", #seen, eq_seen, #wanted, eq_wanted); \
    } while (0)

/* Two strings are equal. */
#define EQ_STR(seen, wanted)                                                                 \
    do {                                                                                     \
        const char *eq_seen = (seen), *eq_wanted = (wanted);                                 \
        if (strcmp(eq_seen, eq_wanted) != 0)                                                 \
            CHECK_FAILED("%s is \"%s\", expected \"%s\"", #seen, eq_seen, eq_wanted);        \
    } while (0)

/* An MPI call succeeds (only informative under MPI_ERRORS_RETURN: else a failure ends the program). */
#define OK(call)                                                                             \
    do {                                                                                     \
        int ok_code = (call);                                                                \
        if (ok_code != MPI_SUCCESS)                                                          \
            check_code_failed(__FILE__, __LINE__, #call, ok_code, MPI_SUCCESS);              \
    } while (0)

/* An MPI call fails with this error class. The object's error handler must be MPI_ERRORS_RETURN. */
#define FAILS(call, error_class)                                                             \
    do {                                                                                     \
        int fails_code = (call), fails_class = MPI_SUCCESS;                                  \
        if (fails_code != MPI_SUCCESS)                                                       \
            MPI_Error_class(fails_code, &fails_class);                                       \
        if (fails_class != (error_class))                                                    \
            check_code_failed(__FILE__, __LINE__, #call, fails_code, error_class);           \
    } while (0)

static CHECK_UNUSED void check_code_failed(const char *file, int line, const char *call, int code, int wanted) {
    char text[MPI_MAX_ERROR_STRING] = "success";
    int length = 0, error_class = MPI_SUCCESS;
    if (code != MPI_SUCCESS) {
        MPI_Error_class(code, &error_class);
        MPI_Error_string(code, text, &length);
    }
    check_failed(file, line, "%s gave class %d (%s), expected class %d", call, error_class, text, wanted);
}

static CHECK_UNUSED void begin_rest(void) {
    MPI_Comm_rank(MPI_COMM_WORLD, &world_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &world_size);
}

static CHECK_UNUSED void begin(int *argc, char ***argv) {
    MPI_Init(argc, argv);
    begin_rest();
}

/* Initialises with a thread level; 0 when the library gives less than was asked for. */
static CHECK_UNUSED int begin_thread(int *argc, char ***argv, int wanted) {
    int provided = -1;
    MPI_Init_thread(argc, argv, wanted, &provided);
    begin_rest();
    return provided >= wanted;
}

/* Sums the errors, says "No Errors" on rank 0, finalises. The status to return from `main`. */
static CHECK_UNUSED int finish(void) {
    int total = 0;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_ARE_FATAL);
    MPI_Allreduce(&check_errors, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (world_rank == 0) {
        if (total == 0)
            printf("No Errors\n");
        else
            printf("Found %d errors\n", total);
        fflush(stdout);
    }
    MPI_Finalize();
    return total != 0;
}

/* Ends a program that cannot run with this many ranks, without an error of its own: the manifest is wrong. */
static CHECK_UNUSED void need_ranks(int least) {
    if (world_size < least) {
        if (world_rank == 0)
            fprintf(stderr, "this program needs at least %d ranks\n", least);
        MPI_Abort(MPI_COMM_WORLD, 77);
    }
}

/* Memory that must be there. */
static CHECK_UNUSED void *get_memory(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory) {
        fprintf(stderr, "rank %d: no memory for %zu bytes\n", world_rank, bytes);
        MPI_Abort(MPI_COMM_WORLD, 78);
    }
    return memory;
}

/* A pattern that differs between messages (`seed`) and between positions, and has no short period. */
static CHECK_UNUSED unsigned char pattern_at(unsigned seed, size_t i) {
    uint64_t x = (uint64_t)i * 0x9E3779B97F4A7C15u + (uint64_t)seed * 0xD1B54A32D192ED03u;
    return (unsigned char)((x ^ (x >> 29)) >> 8);
}

static CHECK_UNUSED void fill_pattern(void *memory, size_t bytes, unsigned seed) {
    unsigned char *at = (unsigned char *)memory;
    for (size_t i = 0; i < bytes; i++)
        at[i] = pattern_at(seed, i);
}

/* The first position that differs from the pattern, or -1. */
static CHECK_UNUSED long long find_pattern_error(const void *memory, size_t bytes, unsigned seed) {
    const unsigned char *at = (const unsigned char *)memory;
    for (size_t i = 0; i < bytes; i++)
        if (at[i] != pattern_at(seed, i))
            return (long long)i;
    return -1;
}

#define CHECK_PATTERN(memory, bytes, seed)                                                   \
    do {                                                                                     \
        long long wrong_at = find_pattern_error(memory, bytes, seed);                        \
        CHECK_MSG(wrong_at < 0, "%s: wrong byte at %lld of %lld (pattern %u)", #memory, wrong_at, \
                  (long long)(bytes), (unsigned)(seed));                                     \
    } while (0)

/* A small generator for tests that draw lots: the same on every machine. */
static CHECK_UNUSED uint32_t random_next(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

#endif
