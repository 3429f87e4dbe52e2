/* Random nested types against a naive list of (offset, bytes): packed by MPI_Pack, sent, received by another layout
 * of the same signature. Arguments: seed, number of types. */
#include "check.h"

enum { BLOCKS_MAX = 4000, SPAN = 1 << 21, ORIGIN = SPAN / 2, DEPTH_MAX = 3 };

/* A type and the offsets of its ints, in type map order, with the bounds the standard gives it. */
struct model {
    MPI_Datatype type;
    int n;
    MPI_Aint lb, ub;
    MPI_Aint *at;
};

static uint64_t state;

static int draw(int below) {
    return (int)(random_next(&state) % (uint32_t)below);
}

static struct model basic(void) {
    struct model m = {MPI_INT, 1, 0, sizeof(int), get_memory(sizeof(MPI_Aint))};
    m.at[0] = 0;
    return m;
}

static void drop(struct model *m) {
    if (m->type != MPI_INT)
        OK(MPI_Type_free(&m->type));
    free(m->at);
}

/* The inner type repeated at the given byte displacements. */
static struct model repeated(const struct model *inner, int copies, const MPI_Aint *displacement) {
    struct model m = {MPI_DATATYPE_NULL, 0, 0, 0, get_memory((size_t)(copies * inner->n + 1) * sizeof(MPI_Aint))};
    for (int c = 0; c < copies; c++) {
        MPI_Aint lb = inner->lb + displacement[c], ub = inner->ub + displacement[c];
        m.lb = c == 0 || lb < m.lb ? lb : m.lb;
        m.ub = c == 0 || ub > m.ub ? ub : m.ub;
        for (int i = 0; i < inner->n; i++)
            m.at[m.n++] = inner->at[i] + displacement[c];
    }
    return m;
}

static struct model wrapped(struct model inner) {
    MPI_Aint displacement[64], extent = inner.ub - inner.lb;
    int lengths[8], at[8], copies = 0, blocks = 1 + draw(4), stride;
    MPI_Datatype type;
    struct model m;
    switch (draw(6)) {
    case 0: /* contiguous */
        for (; copies < blocks; copies++)
            displacement[copies] = copies * extent;
        OK(MPI_Type_contiguous(blocks, inner.type, &type));
        break;
    case 1: /* vector */
        stride = 2 + draw(3);
        for (int b = 0; b < blocks; b++)
            for (int i = 0; i < 2; i++)
                displacement[copies++] = (b * stride + i) * extent;
        OK(MPI_Type_vector(blocks, 2, stride, inner.type, &type));
        break;
    case 2: /* hvector, spaced so that blocks stay apart and aligned */
        stride = (int)extent + 4 * draw(5);
        for (; copies < blocks; copies++)
            displacement[copies] = -(MPI_Aint)copies * stride;
        OK(MPI_Type_create_hvector(blocks, 1, -(MPI_Aint)stride, inner.type, &type));
        break;
    case 3: /* indexed */
        for (int b = 0, next = 0; b < blocks; b++) {
            lengths[b] = 1 + draw(3);
            at[b] = next + draw(3);
            next = at[b] + lengths[b];
            for (int i = 0; i < lengths[b]; i++)
                displacement[copies++] = (at[b] + i) * extent;
        }
        OK(MPI_Type_indexed(blocks, lengths, at, inner.type, &type));
        break;
    case 4: { /* struct of the same type, backwards */
        MPI_Aint bytes[8], next = 0;
        MPI_Datatype types[8];
        for (int b = blocks - 1; b >= 0; b--) {
            lengths[b] = 1 + draw(2);
            types[b] = inner.type;
            bytes[b] = next + 4 * draw(4);
            next = bytes[b] + lengths[b] * extent;
        }
        for (int b = 0; b < blocks; b++)
            for (int i = 0; i < lengths[b]; i++)
                displacement[copies++] = bytes[b] + i * extent;
        OK(MPI_Type_create_struct(blocks, lengths, bytes, types, &type));
        break;
    }
    default: { /* resized: the bounds are no longer those of the ints, but leave room for them */
        displacement[0] = 0;
        m = repeated(&inner, 1, displacement);
        m.ub += 4 * draw(6);
        OK(MPI_Type_create_resized(inner.type, m.lb, m.ub - m.lb, &m.type));
        drop(&inner);
        return m;
    }
    }
    m = repeated(&inner, copies, displacement);
    m.type = type;
    drop(&inner);
    return m;
}

static struct model random_type(void) {
    struct model m = basic();
    for (int depth = 1 + draw(DEPTH_MAX); depth > 0 && m.n < BLOCKS_MAX / 12; depth--)
        m = wrapped(m);
    return m;
}

static void check_shape(const struct model *m) {
    MPI_Aint lb = -1, extent = -1;
    int size = -1;
    OK(MPI_Type_get_extent(m->type, &lb, &extent));
    EQ(lb, m->lb);
    EQ(extent, m->ub - m->lb);
    OK(MPI_Type_size(m->type, &size));
    EQ(size, m->n * (int)sizeof(int));
}

static char *memory, *other;
static int *plain;

static int *int_at(char *base, const struct model *m, int copy, int i) {
    return (int *)(base + ORIGIN + copy * (m->ub - m->lb) + m->at[i]);
}

static void one(int turn) {
    struct model m = random_type();
    if (m.type == MPI_INT)
        m = wrapped(m);
    OK(MPI_Type_commit(&m.type));
    check_shape(&m);
    int copies = 1 + draw(20), total = copies * m.n, position = 0, size = 0;
    int left = (world_rank + world_size - 1) % world_size, right = (world_rank + 1) % world_size;
    memset(memory, 0xFF, SPAN);
    for (int c = 0; c < copies; c++)
        for (int i = 0; i < m.n; i++)
            *int_at(memory, &m, c, i) = world_rank * 10000000 + c * m.n + i;
    /* packed: the ints in type map order */
    OK(MPI_Pack_size(copies, m.type, MPI_COMM_WORLD, &size));
    CHECK(size >= total * (int)sizeof(int));
    char *packed = get_memory((size_t)size);
    OK(MPI_Pack(memory + ORIGIN, copies, m.type, packed, size, &position, MPI_COMM_WORLD));
    EQ(position, total * (int)sizeof(int));
    for (int i = 0; i < total; i++) {
        int value;
        memcpy(&value, packed + (size_t)i * sizeof value, sizeof value);
        if (value != world_rank * 10000000 + i) {
            CHECK_FAILED("type %d: packed element %d is %d", turn, i, value);
            break;
        }
    }
    free(packed);
    /* typed to plain, and back into a fresh memory of the same type */
    MPI_Request request;
    OK(MPI_Isend(memory + ORIGIN, copies, m.type, right, 1, MPI_COMM_WORLD, &request));
    OK(MPI_Recv(plain, total, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    for (int i = 0; i < total; i++)
        if (plain[i] != left * 10000000 + i) {
            CHECK_FAILED("type %d: received element %d is %d", turn, i, plain[i]);
            break;
        }
    memset(other, 0xFF, SPAN);
    OK(MPI_Isend(plain, total, MPI_INT, left, 2, MPI_COMM_WORLD, &request));
    OK(MPI_Recv(other + ORIGIN, copies, m.type, right, 2, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    CHECK_MSG(memcmp(memory, other, SPAN) == 0, "type %d (%d ints, %d copies): did not come back", turn, m.n, copies);
    drop(&m);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int turns = argc > 2 ? atoi(argv[2]) : 200;
    memory = get_memory(SPAN);
    other = get_memory(SPAN);
    plain = get_memory(SPAN);
    for (int turn = 0; turn < turns; turn++)
        one(turn);
    free(memory);
    free(other);
    free(plain);
    return finish();
}
