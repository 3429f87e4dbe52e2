/* Every predefined operation on every predefined type it is defined for, through every reducing collective, with and
 * without MPI_IN_PLACE (MPI 5.0 sections 6.9 to 6.11). First argument: the form (common/variants.h). */
#include "types.h"
#include "variants.h"

/* The value of an element on a rank. Logical operations see zeros as well as ones. */
static int value_of(int op, size_t i, int rank) {
    unsigned mix = (unsigned)i * 7 + (unsigned)rank * 3 + (unsigned)op;
    if (op >= LAND)
        return (i + (size_t)rank) % 5 != 0 ? (int)(i % 2) : 0;
    return op >= BAND ? (int)(mix * 37 % 128) : 1 + (int)(mix % 3);
}

static void fill(const struct kind *k, int op, void *at, size_t count, int rank) {
    for (size_t i = 0; i < count; i++)
        k->set(at, i, value_of(op, i, rank));
}

/* expected[0 … count) over the ranks from 0 up to and without `ranks` */
static void reduce_plainly(const struct kind *k, int op, void *expected, void *scratch, size_t count, int ranks) {
    fill(k, op, expected, count, 0);
    for (int rank = 1; rank < ranks; rank++) {
        fill(k, op, scratch, count, rank);
        for (size_t i = 0; i < count; i++)
            k->apply(op, expected, scratch, i);
    }
}

static void compare(const char *what, const struct kind *k, int op, size_t count, const void *seen,
                    const void *expected, size_t offset) {
    for (size_t i = 0; i < count; i++)
        if (!k->equal(seen, (const char *)expected + offset * k->size, i)) {
            CHECK_FAILED("%s of %zu %s by %s: wrong at %zu", what, count, k->name, op_at(op).name, i);
            return;
        }
}

struct space {
    char *in, *out, *expected, *scratch;
};

static void to_all(const struct kind *k, int o, int n, struct space *s, int in_place) {
    const void *in = in_place ? MPI_IN_PLACE : s->in;
    fill(k, o, in_place ? s->out : s->in, (size_t)n, world_rank);
    RUN(allreduce, Allreduce, in, s->out, n, k->type, op_at(o).op, MPI_COMM_WORLD);
    reduce_plainly(k, o, s->expected, s->scratch, (size_t)n, world_size);
    compare("allreduce", k, o, (size_t)n, s->out, s->expected, 0);
}

static void to_root(const struct kind *k, int o, int n, struct space *s, int in_place, int root) {
    int here = in_place && world_rank == root;
    const void *in = here ? MPI_IN_PLACE : s->in;
    fill(k, o, here ? s->out : s->in, (size_t)n, world_rank);
    RUN(reduce, Reduce, in, world_rank == root ? s->out : NULL, n, k->type, op_at(o).op, root, MPI_COMM_WORLD);
    if (world_rank == root) {
        reduce_plainly(k, o, s->expected, s->scratch, (size_t)n, world_size);
        compare("reduce", k, o, (size_t)n, s->out, s->expected, 0);
    }
}

static void scattered(const struct kind *k, int o, int n, struct space *s, int in_place) {
    int counts[64], total = 0, offset = 0;
    const void *in = in_place ? MPI_IN_PLACE : s->in;
    fill(k, o, in_place ? s->out : s->in, (size_t)n * (size_t)world_size, world_rank);
    RUN(reduce_scatter_block, Reduce_scatter_block, in, s->out, n, k->type, op_at(o).op, MPI_COMM_WORLD);
    reduce_plainly(k, o, s->expected, s->scratch, (size_t)n * (size_t)world_size, world_size);
    compare("reduce_scatter_block", k, o, (size_t)n, s->out, s->expected, (size_t)n * (size_t)world_rank);
    /* uneven parts, one of them empty */
    for (int rank = 0; rank < world_size; rank++) {
        counts[rank] = rank == 1 ? 0 : n - rank % 2;
        offset += rank < world_rank ? counts[rank] : 0;
        total += counts[rank];
    }
    fill(k, o, in_place ? s->out : s->in, (size_t)total, world_rank);
    RUN(reduce_scatter, Reduce_scatter, in, s->out, counts, k->type, op_at(o).op, MPI_COMM_WORLD);
    reduce_plainly(k, o, s->expected, s->scratch, (size_t)total, world_size);
    compare("reduce_scatter", k, o, (size_t)counts[world_rank], s->out, s->expected, (size_t)offset);
}

static void prefixes(const struct kind *k, int o, int n, struct space *s, int in_place) {
    const void *in = in_place ? MPI_IN_PLACE : s->in;
    fill(k, o, in_place ? s->out : s->in, (size_t)n, world_rank);
    RUN(scan, Scan, in, s->out, n, k->type, op_at(o).op, MPI_COMM_WORLD);
    reduce_plainly(k, o, s->expected, s->scratch, (size_t)n, world_rank + 1);
    compare("scan", k, o, (size_t)n, s->out, s->expected, 0);
    fill(k, o, in_place ? s->out : s->in, (size_t)n, world_rank);
    RUN(exscan, Exscan, in, s->out, n, k->type, op_at(o).op, MPI_COMM_WORLD);
    if (world_rank > 0) {
        reduce_plainly(k, o, s->expected, s->scratch, (size_t)n, world_rank);
        compare("exscan", k, o, (size_t)n, s->out, s->expected, 0);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    if (world_size > 64)
        CHECK_FAILED("more ranks than this program has room for");
    enum { LARGEST = 700 };
    size_t bytes = (size_t)LARGEST * (size_t)world_size * 32;
    struct space s = {get_memory(bytes), get_memory(bytes), get_memory(bytes), get_memory(bytes)};
    int turn = 0;
    for (int index = 0; kind_at(index).name; index++) {
        struct kind k = kind_at(index);
        /* A type that an MPI without Fortran lacks. */
        if (k.type == MPI_DATATYPE_NULL)
            continue;
        for (int o = 0; o < OPS; o++) {
            if (!(k.takes & op_at(o).needs))
                continue;
            static const int counts[] = {1, 5, LARGEST};
            int n = counts[turn % 3], root = turn % world_size;
            for (int in_place = 0; in_place < 2; in_place++) {
                to_all(&k, o, n, &s, in_place);
                to_root(&k, o, n, &s, in_place, root);
                scattered(&k, o, n, &s, in_place);
                prefixes(&k, o, n, &s, in_place);
            }
            turn++;
        }
    }
    free(s.in);
    free(s.out);
    free(s.expected);
    free(s.scratch);
    return finish();
}
