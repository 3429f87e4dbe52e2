/* Absolute addresses: MPI_Get_address, MPI_BOTTOM, a struct of scattered variables; address arithmetic. */
#include "check.h"

static int number, numbers[50];
static double real;
static char text[20];

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int lengths[4] = {1, 1, 20, 50};
    MPI_Aint at[4];
    MPI_Datatype types[4] = {MPI_INT, MPI_DOUBLE, MPI_CHAR, MPI_INT}, scattered;
    int *heap = get_memory(sizeof(int) * 50);
    OK(MPI_Get_address(&number, &at[0]));
    OK(MPI_Get_address(&real, &at[1]));
    OK(MPI_Get_address(text, &at[2]));
    OK(MPI_Get_address(numbers, &at[3]));
    EQ(MPI_Aint_diff(at[3] + 8, at[3]), 8);
    EQ(MPI_Aint_add(at[2], 3), at[2] + 3);
    OK(MPI_Type_create_struct(4, lengths, at, types, &scattered));
    OK(MPI_Type_commit(&scattered));
    number = 42;
    real = 2.5;
    strcpy(text, "here and there");
    for (int i = 0; i < 50; i++)
        numbers[i] = i * i;
    for (int round = 0; round < 3; round++) {
        if (world_rank == 0)
            OK(MPI_Bcast(MPI_BOTTOM, 1, scattered, 0, MPI_COMM_WORLD));
        else {
            number = 0;
            real = 0;
            memset(text, 0, sizeof text);
            memset(numbers, 0, sizeof numbers);
            OK(MPI_Bcast(MPI_BOTTOM, 1, scattered, 0, MPI_COMM_WORLD));
        }
        EQ(number, 42);
        CHECK(real == 2.5);
        EQ_STR(text, "here and there");
        EQ(numbers[49], 49 * 49);
    }
    /* to oneself, into the heap, from the statics */
    MPI_Datatype here;
    MPI_Aint heap_at;
    OK(MPI_Get_address(heap, &heap_at));
    int fifty = 50;
    OK(MPI_Type_create_hindexed(1, &fifty, &heap_at, MPI_INT, &here));
    OK(MPI_Type_commit(&here));
    OK(MPI_Sendrecv(numbers, 50, MPI_INT, world_rank, 0, MPI_BOTTOM, 1, here, world_rank, 0, MPI_COMM_WORLD,
                    MPI_STATUS_IGNORE));
    for (int i = 0; i < 50; i++)
        EQ(heap[i], i * i);
    OK(MPI_Type_free(&here));
    OK(MPI_Type_free(&scattered));
    free(heap);
    return finish();
}
