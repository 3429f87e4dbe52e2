/* Started by launchers of all kinds: every process says where it is, and all add up their ranks.
 *
 *   meet           the sum, sent around and added up
 *   meet abort     the last process calls MPI_Abort(7) while the others wait for it
 *   meet exit      it calls exit(0) there
 *   meet kill      it is killed
 */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONG = 100000 };

static void check(int right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "wrong: %s\n", what);
    MPI_Abort(MPI_COMM_WORLD, 3);
}

int main(int argc, char **argv)
{
    const char *end = argc > 1 ? argv[1] : "";
    MPI_Init(&argc, &argv);

    int rank, size, near, length;
    char host[MPI_MAX_PROCESSOR_NAME];
    MPI_Comm node;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Get_processor_name(host, &length);
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node);
    MPI_Comm_size(node, &near);

    if (*end && rank == size - 1) {
        sleep(1);
        if (!strcmp(end, "abort"))
            MPI_Abort(MPI_COMM_WORLD, 7);
        if (!strcmp(end, "exit"))
            exit(0);
        raise(SIGKILL);
    }

    int sum;
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    check(sum == size * (size - 1) / 2, "the sum");

    /* A long message to the next one, which goes over each kind of way there is. */
    int *to = malloc(LONG * sizeof *to), *from = malloc(LONG * sizeof *from);
    for (int i = 0; i < LONG; i++)
        to[i] = rank + i;
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    MPI_Sendrecv(to, LONG, MPI_INT, next, 1, from, LONG, MPI_INT, previous, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    for (int i = 0; i < LONG; i++)
        check(from[i] == previous + i, "the message");
    free(to);
    free(from);

    printf("rank %d of %d on %s, with %d there: %d\n", rank, size, host, near, sum);
    MPI_Comm_free(&node);
    MPI_Finalize();
    return 0;
}
