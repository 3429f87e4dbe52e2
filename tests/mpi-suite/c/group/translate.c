/* MPI_Group_translate_ranks (MPI 5.0 section 7.3.1). */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Group world, odd, even;
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    int evens[1][3] = {{0, world_size - 1, 2}};
    OK(MPI_Group_range_incl(world, 1, evens, &even));
    OK(MPI_Group_range_excl(world, 1, evens, &odd));

    int *ranks = get_memory(sizeof(int) * (size_t)(world_size + 1));
    int *there = get_memory(sizeof(int) * (size_t)(world_size + 1));
    for (int i = 0; i < world_size; i++)
        ranks[i] = i;
    ranks[world_size] = MPI_PROC_NULL;
    OK(MPI_Group_translate_ranks(world, world_size + 1, ranks, even, there));
    for (int i = 0; i < world_size; i++)
        EQ(there[i], i % 2 == 0 ? i / 2 : MPI_UNDEFINED);
    EQ(there[world_size], MPI_PROC_NULL);
    OK(MPI_Group_translate_ranks(world, world_size, ranks, odd, there));
    for (int i = 0; i < world_size; i++)
        EQ(there[i], i % 2 == 1 ? i / 2 : MPI_UNDEFINED);
    OK(MPI_Group_translate_ranks(even, (world_size + 1) / 2, ranks, world, there));
    for (int i = 0; i < (world_size + 1) / 2; i++)
        EQ(there[i], 2 * i);
    OK(MPI_Group_translate_ranks(even, (world_size + 1) / 2, ranks, odd, there));
    for (int i = 0; i < (world_size + 1) / 2; i++)
        EQ(there[i], MPI_UNDEFINED);

    /* Nobody has a rank in the empty group; from it only MPI_PROC_NULL can be asked. */
    OK(MPI_Group_translate_ranks(world, 1, ranks, MPI_GROUP_EMPTY, there));
    EQ(there[0], MPI_UNDEFINED);
    OK(MPI_Group_translate_ranks(MPI_GROUP_EMPTY, 1, ranks + world_size, world, there));
    EQ(there[0], MPI_PROC_NULL);
    OK(MPI_Group_translate_ranks(world, 0, NULL, even, NULL));
    free(ranks);
    free(there);
    OK(MPI_Group_free(&odd));
    OK(MPI_Group_free(&even));
    OK(MPI_Group_free(&world));
    return finish();
}
