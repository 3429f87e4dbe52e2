/* The predefined attributes of MPI_COMM_WORLD (MPI 5.0 section 9.1.2), and allocated memory. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *value = NULL, flag = 0;
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &value, &flag));
    CHECK(flag && *value >= 32767);
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_WTIME_IS_GLOBAL, &value, &flag));
    CHECK(!flag || *value == 0 || *value == 1);
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_UNIVERSE_SIZE, &value, &flag));
    CHECK(!flag || *value >= world_size);
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_APPNUM, &value, &flag));
    CHECK(!flag || *value == 0);
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_IO, &value, &flag));
    CHECK(flag);
    double *memory = NULL;
    OK(MPI_Alloc_mem(100000 * (MPI_Aint)sizeof(double), MPI_INFO_NULL, &memory));
    CHECK(memory != NULL);
    for (int i = 0; i < 100000; i++)
        memory[i] = i;
    OK(MPI_Bcast(memory, 100000, MPI_DOUBLE, 0, MPI_COMM_WORLD));
    CHECK(memory[99999] == 99999);
    OK(MPI_Free_mem(memory));
    return finish();
}
