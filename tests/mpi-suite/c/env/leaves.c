/* A rank that has something to say to the others leaves before it calls MPI_Init: nobody waits for it for ever. */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(void) {
    const char *rank = getenv("HPVM_RANK");
    if (rank != NULL && strcmp(rank, "1") == 0) {
        usleep(300000);
        return 3;
    }
    MPI_Init(NULL, NULL);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Finalize();
    return 0;
}
