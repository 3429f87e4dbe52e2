/* Messages of more than 2^31 bytes and elements: with large counts, with int counts of large types, from and into derived types
 * (MPI 5.0 section 19.2). Rank 0 sends, rank 1 receives. */
#include "large.h"

static const size_t BYTES = ((size_t)1 << 31) + 4096 + 17;
enum { BIG = 1 << 20 };

/* What the status says of BYTES bytes. */
static void told(MPI_Status *status, MPI_Datatype big) {
    MPI_Count count = -1;
    int narrow = 0;
    OK(MPI_Get_count_c(status, MPI_BYTE, &count));
    EQ(count, BYTES);
    OK(MPI_Get_elements_c(status, MPI_BYTE, &count));
    EQ(count, BYTES);
    /* More than an int can say. */
    OK(MPI_Get_count(status, MPI_BYTE, &narrow));
    EQ(narrow, MPI_UNDEFINED);
    OK(MPI_Get_count(status, big, &narrow));
    EQ(narrow, MPI_UNDEFINED);
}

static void contiguous(MPI_Datatype big) {
    MPI_Status status;
    if (world_rank == 0) {
        unsigned char *out = large_out(BYTES, 5);
        MPI_Request request;
        OK(MPI_Send_c(out, (MPI_Count)BYTES, MPI_BYTE, 1, 1, MPI_COMM_WORLD));
        OK(MPI_Isend_c(out, (MPI_Count)BYTES, MPI_BYTE, 1, 2, MPI_COMM_WORLD, &request));
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        large_free(out, BYTES);
    } else {
        unsigned char *in = large_in(BYTES);
        OK(MPI_Recv_c(in, (MPI_Count)BYTES, MPI_BYTE, 0, 1, MPI_COMM_WORLD, &status));
        told(&status, big);
        large_check(in, BYTES, 5, "Send_c");
        large_free(in, BYTES);
        /* A message that waits, probed for, into a receive with a type of its own. */
        in = large_in(BYTES);
        OK(MPI_Probe(0, 2, MPI_COMM_WORLD, &status));
        told(&status, big);
        OK(MPI_Recv_c(in, (MPI_Count)BYTES + 100, MPI_CHAR, 0, 2, MPI_COMM_WORLD, &status));
        told(&status, big);
        large_check(in, BYTES, 5, "Isend_c");
        large_free(in, BYTES);
    }
}

/* 2,049 items of 2^20 bytes. */
static void int_counts(MPI_Datatype big) {
    const size_t bytes = (size_t)2049 * BIG;
    MPI_Status status;
    int count = 0;
    MPI_Count elements = 0;
    if (world_rank == 0) {
        unsigned char *out = large_out(bytes, 7);
        OK(MPI_Send(out, 2049, big, 1, 3, MPI_COMM_WORLD));
        large_free(out, bytes);
    } else {
        unsigned char *in = large_in(bytes);
        OK(MPI_Recv(in, 2049, big, 0, 3, MPI_COMM_WORLD, &status));
        OK(MPI_Get_count(&status, big, &count));
        EQ(count, 2049);
        OK(MPI_Get_elements(&status, big, &count));
        EQ(count, MPI_UNDEFINED);
        OK(MPI_Get_elements_c(&status, big, &elements));
        EQ(elements, bytes);
        large_check(in, bytes, 7, "2049 large items");
        large_free(in, bytes);
    }
}

/* Every second page of a range of 4 GiB is 2 GiB of data: a type whose size and extent need more than an int. */
static void derived(void) {
    enum { PAGE = 4096, PAGES = (1 << 19) + 3 };
    const size_t bytes = (size_t)PAGE * PAGES, range = 2 * bytes;
    MPI_Datatype pages;
    MPI_Count size = 0, lb = -1, extent = 0;
    int narrow = 0;
    OK(MPI_Type_vector(PAGES, PAGE, 2 * PAGE, MPI_BYTE, &pages));
    OK(MPI_Type_commit(&pages));
    OK(MPI_Type_size_c(pages, &size));
    EQ(size, bytes);
    OK(MPI_Type_size(pages, &narrow));
    EQ(narrow, MPI_UNDEFINED);
    OK(MPI_Type_get_extent_c(pages, &lb, &extent));
    EQ(lb, 0);
    EQ(extent, range - PAGE);
    if (world_rank == 0) {
        unsigned char *out = large_out(range, 9);
        OK(MPI_Send(out, 1, pages, 1, 4, MPI_COMM_WORLD));
        large_free(out, range);
        out = large_out(bytes, 11);
        OK(MPI_Send_c(out, (MPI_Count)bytes, MPI_BYTE, 1, 5, MPI_COMM_WORLD));
        large_free(out, bytes);
    } else {
        unsigned char *in = large_in(bytes);
        OK(MPI_Recv_c(in, (MPI_Count)bytes, MPI_BYTE, 0, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (size_t at = 0; at < bytes; at += at % PAGE == 0 ? 5 : PAGE - 5)
            if (in[at] != large_byte(at / PAGE * 2 * PAGE + at % PAGE, 9)) {
                CHECK_FAILED("from a vector: byte %zu is wrong", at);
                break;
            }
        large_free(in, bytes);
        /* Pages that no data goes to are not touched. */
        in = large_in(range);
        OK(MPI_Recv(in, 1, pages, 0, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        for (size_t at = 0; at < bytes; at += at % PAGE == 0 ? 5 : PAGE - 5)
            if (in[at / PAGE * 2 * PAGE + at % PAGE] != large_byte(at, 11)) {
                CHECK_FAILED("into a vector: byte %zu is wrong", at);
                break;
            }
        large_free(in, range);
    }
    OK(MPI_Type_free(&pages));
}

int main(int argc, char **argv) {
    MPI_Datatype big;
    begin(&argc, &argv);
    need_ranks(2);
    OK(MPI_Type_contiguous(BIG, MPI_BYTE, &big));
    OK(MPI_Type_commit(&big));
    if (world_rank < 2) {
        contiguous(big);
        int_counts(big);
        derived();
    }
    OK(MPI_Type_free(&big));
    return finish();
}
