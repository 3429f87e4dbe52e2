/* Collective operations on more than 2^31 bytes and elements, and on int counts of large types (MPI 5.0 section 19.2). */
#include "large.h"

static const size_t BYTES = ((size_t)1 << 31) + 4096 + 17;
enum { BIG = 1 << 20 };

static void bcast(void) {
    unsigned char *memory = world_rank == 0 ? large_out(BYTES, 3) : large_in(BYTES);
    OK(MPI_Bcast_c(memory, (MPI_Count)BYTES, MPI_BYTE, 0, MPI_COMM_WORLD));
    if (world_rank > 0)
        large_check(memory, BYTES, 3, "Bcast_c");
    large_free(memory, BYTES);
}

static void bcast_of_large_items(void) {
    const size_t bytes = (size_t)2050 * BIG;
    MPI_Datatype big;
    MPI_Request request;
    OK(MPI_Type_contiguous(BIG, MPI_BYTE, &big));
    OK(MPI_Type_commit(&big));
    unsigned char *memory = world_rank == 0 ? large_out(bytes, 4) : large_in(bytes);
    OK(MPI_Ibcast(memory, 2050, big, 0, MPI_COMM_WORLD, &request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    if (world_rank > 0)
        large_check(memory, bytes, 4, "Ibcast");
    large_free(memory, bytes);
    OK(MPI_Type_free(&big));
}

/* All give the same, so that the bitwise or of it is known. */
static void allreduce(void) {
    unsigned char *out = large_out(BYTES, 5), *in = large_in(BYTES);
    OK(MPI_Allreduce_c(out, in, (MPI_Count)BYTES, MPI_UNSIGNED_CHAR, MPI_BOR, MPI_COMM_WORLD));
    large_check(in, BYTES, 5, "Allreduce_c");
    large_free(out, BYTES);
    large_free(in, BYTES);
}

/* The parts are below 2^31, the whole is not: the root's displacements are. */
static void gather(void) {
    const size_t part = BYTES / (size_t)world_size;
    unsigned char *out = large_out(part, 20 + (unsigned)world_rank), *in = world_rank == 0 ? large_in(part * (size_t)world_size) : NULL;
    OK(MPI_Gather(out, (int)part, MPI_BYTE, in, (int)part, MPI_BYTE, 0, MPI_COMM_WORLD));
    if (world_rank == 0) {
        for (int from = 0; from < world_size; from++)
            large_check(in + part * (size_t)from, part, 20 + (unsigned)from, "Gather");
        large_free(in, part * (size_t)world_size);
    }
    large_free(out, part);
}

/* One part above 2^31. */
static void gather_large(void) {
    const size_t mine = world_rank == 1 ? BYTES : 1000;
    MPI_Count counts[8];
    MPI_Aint places[8];
    size_t room = 0;
    for (int from = 0; from < world_size; from++) {
        counts[from] = from == 1 ? (MPI_Count)BYTES : 1000;
        places[from] = (MPI_Aint)room;
        room += (size_t)counts[from];
    }
    unsigned char *out = large_out(mine, 30 + (unsigned)world_rank), *in = world_rank == 0 ? large_in(room) : NULL;
    OK(MPI_Gatherv_c(out, (MPI_Count)mine, MPI_BYTE, in, counts, places, MPI_BYTE, 0, MPI_COMM_WORLD));
    if (world_rank == 0) {
        for (int from = 0; from < world_size; from++)
            large_check(in + places[from], (size_t)counts[from], 30 + (unsigned)from, "Gatherv_c");
        large_free(in, room);
    }
    large_free(out, mine);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    CHECK(world_size <= 8);
    bcast();
    bcast_of_large_items();
    allreduce();
    if (world_size > 1) {
        gather();
        gather_large();
    }
    return finish();
}
