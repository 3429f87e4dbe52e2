/* Derived types of every constructor in messages, against a plain list of where their ints lie: sent typed and
 * received plain, sent plain and received typed, both typed; small and across the rendezvous (MPI 5.0 chapter 5). */
#include "check.h"

enum { INTS_MAX = 60000, SPAN = 260000, ORIGIN = 130000 };

/* One layout: the type, and the positions of its ints relative to the buffer's address, in order. */
struct layout {
    const char *name;
    MPI_Datatype type;
    int count, n;
    int *at;
};

static struct layout layout;

static void start_layout(const char *name) {
    layout.name = name;
    layout.n = 0;
    layout.count = 1;
}

static void put(int at) {
    layout.at[layout.n++] = at;
}

static void send_receive(const int *out, int typed_out, int *in, int typed_in) {
    int left = (world_rank + world_size - 1) % world_size, right = (world_rank + 1) % world_size;
    OK(MPI_Sendrecv(out, typed_out ? layout.count : layout.n, typed_out ? layout.type : MPI_INT, right, 1, in,
                    typed_in ? layout.count : layout.n, typed_in ? layout.type : MPI_INT, left, 1, MPI_COMM_WORLD,
                    MPI_STATUS_IGNORE));
}

/* Tries the layout that `layout.at` lists, in the three ways. The untouched rest must stay untouched. */
static void try_layout(void) {
    static int *plain, *spread;
    int left = (world_rank + world_size - 1) % world_size;
    if (!plain) {
        plain = get_memory(INTS_MAX * sizeof(int));
        spread = get_memory(SPAN * sizeof(int));
    }
    OK(MPI_Type_commit(&layout.type));
    int size = -1;
    OK(MPI_Type_size(layout.type, &size));
    EQ(size * layout.count, layout.n * (int)sizeof(int));

    for (int i = 0; i < SPAN; i++)
        spread[i] = -1;
    for (int i = 0; i < layout.n; i++)
        spread[ORIGIN + layout.at[i]] = world_rank * 1000000 + i;
    send_receive(spread + ORIGIN, 1, plain, 0);
    for (int i = 0; i < layout.n; i++)
        if (plain[i] != left * 1000000 + i) {
            CHECK_FAILED("%s sent: element %d is %d", layout.name, i, plain[i]);
            break;
        }

    for (int i = 0; i < layout.n; i++)
        plain[i] = world_rank * 1000000 + i + 7;
    for (int both = 0; both < 2; both++) {
        int *from = both ? get_memory(SPAN * sizeof(int)) : plain;
        for (int i = 0; i < SPAN; i++)
            spread[i] = -1;
        for (int i = 0; both && i < layout.n; i++)
            from[ORIGIN + layout.at[i]] = world_rank * 1000000 + i + 7;
        send_receive(both ? from + ORIGIN : from, both, spread + ORIGIN, 1);
        for (int i = 0; i < layout.n; i++) {
            int *element = &spread[ORIGIN + layout.at[i]];
            if (*element != left * 1000000 + i + 7) {
                CHECK_FAILED("%s received%s: element %d is %d", layout.name, both ? " typed" : "", i, *element);
                break;
            }
            *element = -1;
        }
        for (int i = 0; i < SPAN; i++)
            if (spread[i] != -1) {
                CHECK_FAILED("%s received: wrote into the gap at %d", layout.name, i - ORIGIN);
                break;
            }
        if (both)
            free(from);
    }
    OK(MPI_Type_free(&layout.type));
    CHECK(layout.type == MPI_DATATYPE_NULL);
}

static void vectors(int n) {
    start_layout("vector");
    OK(MPI_Type_vector(n, 2, 5, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++) {
        put(5 * i);
        put(5 * i + 1);
    }
    try_layout();
    start_layout("vector with a negative stride");
    OK(MPI_Type_vector(n, 1, -3, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++)
        put(-3 * i);
    try_layout();
    start_layout("several hvectors");
    layout.count = 3;
    OK(MPI_Type_create_hvector(n / 3 + 1, 1, 2 * sizeof(int), MPI_INT, &layout.type));
    for (int k = 0; k < 3; k++)
        for (int i = 0; i <= n / 3; i++)
            put(k * (2 * (n / 3) + 1) + 2 * i);
    try_layout();
    start_layout("vector of vectors");
    MPI_Datatype inner;
    OK(MPI_Type_vector(3, 1, 2, MPI_INT, &inner));
    OK(MPI_Type_create_hvector(n / 3 + 1, 1, 9 * sizeof(int), inner, &layout.type));
    OK(MPI_Type_free(&inner));
    for (int i = 0; i <= n / 3; i++)
        for (int j = 0; j < 3; j++)
            put(9 * i + 2 * j);
    try_layout();
}

static void indexed(int n) {
    int *lengths = get_memory((size_t)n * sizeof(int)), *at = get_memory((size_t)n * sizeof(int)), next = 0;
    MPI_Aint *bytes = get_memory((size_t)n * sizeof *bytes);
    for (int i = 0; i < n; i++) {
        lengths[i] = i % 4;
        at[i] = next + i % 3;
        bytes[i] = at[i] * (MPI_Aint)sizeof(int);
        next = at[i] + lengths[i];
    }
    start_layout("indexed");
    OK(MPI_Type_indexed(n, lengths, at, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < lengths[i]; j++)
            put(at[i] + j);
    try_layout();
    start_layout("hindexed");
    OK(MPI_Type_create_hindexed(n, lengths, bytes, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < lengths[i]; j++)
            put(at[i] + j);
    try_layout();
    /* backwards: the order of the type map is not that of the addresses */
    for (int i = 0; i < n; i++)
        at[i] = 3 * (n / 2 - i);
    start_layout("indexed_block backwards");
    OK(MPI_Type_create_indexed_block(n, 2, at, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++) {
        put(at[i]);
        put(at[i] + 1);
    }
    try_layout();
    for (int i = 0; i < n; i++)
        bytes[i] = at[i] * (MPI_Aint)sizeof(int);
    start_layout("hindexed_block backwards");
    OK(MPI_Type_create_hindexed_block(n, 1, bytes, MPI_INT, &layout.type));
    for (int i = 0; i < n; i++)
        put(at[i]);
    try_layout();
    free(lengths);
    free(at);
    free(bytes);
}

static void structs(int n) {
    MPI_Datatype types[3] = {MPI_INT, MPI_DATATYPE_NULL, MPI_INT};
    int lengths[3] = {1, 2, 3};
    MPI_Aint at[3] = {0, 3 * sizeof(int), 12 * sizeof(int)};
    OK(MPI_Type_vector(2, 1, 2, MPI_INT, &types[1]));
    start_layout("struct");
    MPI_Datatype once;
    OK(MPI_Type_create_struct(3, lengths, at, types, &once));
    OK(MPI_Type_create_resized(once, 0, 20 * sizeof(int), &layout.type));
    layout.count = n / 8 + 1;
    for (int k = 0; k < layout.count; k++) {
        static const int inside[] = {0, 3, 5, 6, 8, 12, 13, 14};
        for (int i = 0; i < 8; i++)
            put(20 * k + inside[i]);
    }
    OK(MPI_Type_free(&types[1]));
    OK(MPI_Type_free(&once));
    try_layout();
}

static void arrays(void) {
    int sizes[3] = {20, 30, 40}, sub[3] = {7, 11, 13}, from[3] = {5, 9, 20};
    start_layout("subarray");
    OK(MPI_Type_create_subarray(3, sizes, sub, from, MPI_ORDER_C, MPI_INT, &layout.type));
    for (int i = 0; i < sub[0]; i++)
        for (int j = 0; j < sub[1]; j++)
            for (int k = 0; k < sub[2]; k++)
                put(((from[0] + i) * sizes[1] + from[1] + j) * sizes[2] + from[2] + k);
    try_layout();
    start_layout("Fortran subarray");
    OK(MPI_Type_create_subarray(3, sizes, sub, from, MPI_ORDER_FORTRAN, MPI_INT, &layout.type));
    for (int k = 0; k < sub[2]; k++)
        for (int j = 0; j < sub[1]; j++)
            for (int i = 0; i < sub[0]; i++)
                put(((from[2] + k) * sizes[1] + from[1] + j) * sizes[0] + from[0] + i);
    try_layout();
    /* the second of three processes in a row, cyclic in blocks of two over 20 columns */
    int global[2] = {12, 20}, kinds[2] = {MPI_DISTRIBUTE_NONE, MPI_DISTRIBUTE_CYCLIC};
    int blocks[2] = {MPI_DISTRIBUTE_DFLT_DARG, 2}, grid[2] = {1, 3};
    start_layout("darray");
    OK(MPI_Type_create_darray(3, 1, 2, global, kinds, blocks, grid, MPI_ORDER_C, MPI_INT, &layout.type));
    for (int row = 0; row < 12; row++)
        for (int column = 0; column < 20; column++)
            if (column / 2 % 3 == 1)
                put(row * 20 + column);
    try_layout();
}

static void resized(int n) {
    MPI_Datatype wide;
    start_layout("resized");
    OK(MPI_Type_create_resized(MPI_INT, -2 * (MPI_Aint)sizeof(int), 4 * sizeof(int), &wide));
    OK(MPI_Type_contiguous(n, wide, &layout.type));
    for (int i = 0; i < n; i++)
        put(4 * i);
    OK(MPI_Type_free(&wide));
    try_layout();
    start_layout("dup of contiguous");
    MPI_Datatype run;
    OK(MPI_Type_contiguous(n, MPI_INT, &run));
    OK(MPI_Type_dup(run, &layout.type));
    OK(MPI_Type_free(&run));
    for (int i = 0; i < n; i++)
        put(i);
    try_layout();
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    layout.at = get_memory(INTS_MAX * sizeof(int));
    static const int sizes[] = {1, 4, 60, 1000, 20000};
    for (int s = 0; s < 5; s++) {
        vectors(sizes[s]);
        indexed(sizes[s]);
        structs(sizes[s]);
        resized(sizes[s]);
    }
    arrays();
    free(layout.at);
    return finish();
}
