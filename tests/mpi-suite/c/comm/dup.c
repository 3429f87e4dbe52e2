/* Dup, idup and their chains: congruent, independent, usable at once (MPI 5.0 section 7.4.2). */
#include "check.h"

static void usable(MPI_Comm comm) {
    int rank, size, sum = -1, got = -1;
    OK(MPI_Comm_rank(comm, &rank));
    OK(MPI_Comm_size(comm, &size));
    OK(MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, comm));
    EQ(sum, size * (size - 1) / 2);
    OK(MPI_Sendrecv(&rank, 1, MPI_INT, (rank + 1) % size, 0, &got, 1, MPI_INT, (rank + size - 1) % size, 0, comm,
                    MPI_STATUS_IGNORE));
    EQ(got, (rank + size - 1) % size);
}

static void compared(MPI_Comm a, MPI_Comm b, int wanted) {
    int result = -1;
    OK(MPI_Comm_compare(a, b, &result));
    EQ(result, wanted);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm first, second, third, idups[5];
    MPI_Request request[5];
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &first));
    OK(MPI_Comm_dup(first, &second));
    OK(MPI_Comm_dup_with_info(second, MPI_INFO_NULL, &third));
    compared(MPI_COMM_WORLD, first, MPI_CONGRUENT);
    compared(first, third, MPI_CONGRUENT);
    compared(first, first, MPI_IDENT);
    compared(MPI_COMM_WORLD, MPI_COMM_SELF, world_size == 1 ? MPI_CONGRUENT : MPI_UNEQUAL);
    /* The middle of the chain goes first. */
    OK(MPI_Comm_free(&second));
    CHECK(second == MPI_COMM_NULL);
    usable(first);
    usable(third);
    /* Several idups of one communicator at once, completed backwards, collectives on the parent in between. */
    for (int i = 0; i < 5; i++) {
        OK(MPI_Comm_idup(i % 2 ? third : MPI_COMM_WORLD, &idups[i], &request[i]));
        /* Before the request is complete: more than the standard promises, but some programs do this to every handle. */
        if (i >= 3)
            OK(MPI_Comm_set_errhandler(idups[i], MPI_ERRORS_RETURN));
    }
    usable(MPI_COMM_WORLD);
    for (int i = 4; i >= 0; i--)
        OK(MPI_Wait(&request[i], MPI_STATUS_IGNORE));
    for (int i = 0; i < 5; i++) {
        usable(idups[i]);
        MPI_Errhandler handler = MPI_ERRHANDLER_NULL;
        OK(MPI_Comm_get_errhandler(idups[i], &handler));
        CHECK(handler == (i >= 3 ? MPI_ERRORS_RETURN : MPI_ERRORS_ARE_FATAL));
        compared(MPI_COMM_WORLD, idups[i], MPI_CONGRUENT);
        OK(MPI_Comm_free(&idups[i]));
    }
    OK(MPI_Comm_dup(MPI_COMM_SELF, &second));
    usable(second);
    OK(MPI_Comm_free(&second));
    OK(MPI_Comm_free(&first));
    OK(MPI_Comm_free(&third));
    return finish();
}
