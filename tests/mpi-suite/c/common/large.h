/* Buffers of more than 2^31 bytes that cost little memory to send from: one block of a file is mapped again and again, and only
 * pages with marks are private. A mark stands every 64 MiB and around the limits of 32-bit numbers, so that a piece in a wrong
 * place is found out. What is received lies in ordinary memory, which is given back after each use. */
#ifndef LARGE_H
#define LARGE_H

#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

#define LARGE_BLOCK ((size_t)4 << 20)
#define LARGE_MARKS_EVERY ((size_t)64 << 20)

static size_t large_room(size_t bytes) {
    return (bytes + LARGE_BLOCK - 1) / LARGE_BLOCK * LARGE_BLOCK;
}

static void *large_map(void *at, size_t bytes, int flags, int file) {
    void *memory = mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE | flags, file, 0);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "rank %d: cannot map %zu bytes\n", world_rank, bytes);
        MPI_Abort(MPI_COMM_WORLD, 78);
    }
    return memory;
}

/* Memory to receive into, all zero. */
static CHECK_UNUSED unsigned char *large_in(size_t bytes) {
    return (unsigned char *)large_map(NULL, large_room(bytes), MAP_ANONYMOUS, -1);
}

static CHECK_UNUSED void large_free(void *memory, size_t bytes) {
    munmap(memory, large_room(bytes));
}

/* The byte that belongs at `at`: a mark, or the block's. */
static unsigned char large_byte(size_t at, unsigned seed) {
    if (at % LARGE_MARKS_EVERY < 8 || (at >= 0x7ffffff8u && at < 0x80000008u) || (at >= 0xfffffff8u && at < 0x100000008u))
        return pattern_at(seed + 1, at);
    return pattern_at(seed, at % LARGE_BLOCK);
}

static void large_mark(unsigned char *memory, size_t from, size_t to, size_t bytes, unsigned seed) {
    for (size_t at = from; at < to && at < bytes; at++)
        memory[at] = large_byte(at, seed);
}

/* `bytes` to send: the block, marked. */
static CHECK_UNUSED unsigned char *large_out(size_t bytes, unsigned seed) {
    unsigned char *memory = (unsigned char *)large_map(NULL, large_room(bytes), MAP_ANONYMOUS, -1);
    int file = memfd_create("block", 0);
    unsigned char *block = (unsigned char *)malloc(LARGE_BLOCK);
    fill_pattern(block, LARGE_BLOCK, seed);
    if (!block || file < 0 || write(file, block, LARGE_BLOCK) != (ssize_t)LARGE_BLOCK) {
        fprintf(stderr, "rank %d: no memory for a block\n", world_rank);
        MPI_Abort(MPI_COMM_WORLD, 78);
    }
    for (size_t at = 0; at < large_room(bytes); at += LARGE_BLOCK)
        large_map(memory + at, LARGE_BLOCK, MAP_FIXED, file);
    close(file);
    free(block);
    for (size_t at = 0; at < bytes; at += LARGE_MARKS_EVERY)
        large_mark(memory, at, at + 8, bytes, seed);
    large_mark(memory, 0x7ffffff8u, 0x80000008u, bytes, seed);
    large_mark(memory, 0xfffffff8u, 0x100000008u, bytes, seed);
    return memory;
}

static CHECK_UNUSED int large_differs(const unsigned char *memory, size_t from, size_t to, unsigned seed, const char *what) {
    for (size_t at = from; at < to; at++)
        if (memory[at] != large_byte(at, seed)) {
            CHECK_FAILED("%s: byte %zu is wrong", what, at);
            return 1;
        }
    return 0;
}

/* Looks at the marks, at the limits, at the last bytes, and at every 4,093rd byte. */
static CHECK_UNUSED void large_check(const unsigned char *memory, size_t bytes, unsigned seed, const char *what) {
    size_t wrong = 0;
    for (size_t at = 0; at + 8 < bytes && !wrong; at += LARGE_MARKS_EVERY)
        wrong = (size_t)large_differs(memory, at, at + 8, seed, what);
    for (size_t at = 0; at < bytes && !wrong; at += 4093)
        wrong = (size_t)large_differs(memory, at, at + 1, seed, what);
    if (!wrong && bytes > 64)
        wrong = (size_t)large_differs(memory, bytes - 64, bytes, seed, what);
    if (!wrong && bytes > 0x80000008u)
        large_differs(memory, 0x7ffffff8u, 0x80000008u, seed, what);
}

#endif
