/* Rank 0 sends a number of messages of one size to rank 1, and nothing else happens. With HPVM_TRACE=fm the library
 * tells at MPI_Finalize how many messages of Fast Messages that took; the runner compares (src/fm_counts.rs).
 * Arguments: mode (standard or synchronous), number, bytes. */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    int rank;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (argc != 4)
        MPI_Abort(MPI_COMM_WORLD, 2);
    int synchronous = strcmp(argv[1], "synchronous") == 0, number = atoi(argv[2]), bytes = atoi(argv[3]);
    char *buffer = calloc((size_t)bytes + 1, 1);
    for (int i = 0; i < number; i++)
        if (rank == 1)
            MPI_Recv(buffer, bytes, MPI_BYTE, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        else if (rank == 0 && synchronous)
            MPI_Ssend(buffer, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
        else if (rank == 0)
            MPI_Send(buffer, bytes, MPI_BYTE, 1, 0, MPI_COMM_WORLD);
    free(buffer);
    if (rank == 0)
        printf("No Errors\n");
    MPI_Finalize();
    return 0;
}
