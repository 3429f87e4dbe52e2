/* A rank may run on long after MPI_Finalize, and its status is still the job's. */
#include "check.h"

#include <unistd.h>

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int status = finish();
    if (world_rank == world_size - 1)
        usleep(700000);
    return status;
}
