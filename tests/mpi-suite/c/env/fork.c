/* A rank may fork and call system(): the child is no rank, and the parent goes on undisturbed. */
#include "check.h"

#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    begin(&argc, &argv);
    for (int round = 0; round < 5; round++) {
        int sum = -1, status = -1;
        OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0)
            _exit(40 + round);
        OK(MPI_Barrier(MPI_COMM_WORLD));
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 40 + round);
        CHECK(system("true") == 0);
        EQ(sum, world_size * (world_size - 1) / 2);
    }
    return finish();
}
