/* Ways for a rank to end a job, named by the first argument: by a signal, by leaving without MPI_Finalize, by
 * MPI_Abort, by a status of its own. The others wait for a message that never comes; nobody may be left waiting. */
#include "check.h"

#include <signal.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "";
    begin(&argc, &argv);
    need_ranks(2);
    int value = 0;
    if (strcmp(how, "status") == 0) {
        MPI_Finalize();
        return world_rank == 1 ? 5 : 0;
    }
    MPI_Barrier(MPI_COMM_WORLD);
    if (world_rank != 1)
        MPI_Recv(&value, 1, MPI_INT, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else if (strcmp(how, "abort") == 0)
        MPI_Abort(MPI_COMM_WORLD, 7);
    else if (strcmp(how, "abort_self") == 0)
        MPI_Abort(MPI_COMM_SELF, 9);
    else if (strcmp(how, "segv") == 0)
        raise(SIGSEGV);
    else if (strcmp(how, "kill") == 0)
        raise(SIGKILL);
    else if (strcmp(how, "exit") == 0)
        exit(0);
    else if (strcmp(how, "_exit") == 0)
        _exit(0);
    else if (strcmp(how, "_exit3") == 0)
        _exit(3);
    MPI_Finalize();
    return 0;
}
