/* At MPI_Finalize the attributes of MPI_COMM_SELF go first, the latest set first, and MPI still works in their callbacks (MPI 5.0
 * section 11.2.4). What the callbacks find decides the exit status, so the verdict comes after MPI_Finalize. */
#include "check.h"

enum { KEYS = 6 };
static int keyval[KEYS], order[KEYS], called, working;

static int drop(MPI_Comm comm, int key, void *value, void *extra) {
    int finalized = 1, sum = 0;
    (void)key, (void)extra;
    if (called < KEYS)
        order[called++] = *(int *)value;
    MPI_Finalized(&finalized);
    MPI_Allreduce(&called, &sum, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
    working += comm == MPI_COMM_SELF && !finalized && sum == called;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    /* set in this order; 1 is set twice, 4 is deleted before the end */
    static const int sets[] = {2, 1, 0, 4, 3, 1, 5}, wanted[] = {5, 1, 3, 0, 2};
    static int number[KEYS] = {0, 1, 2, 3, 4, 5};
    int rank = world_rank, status = check_errors != 0;
    for (int i = 0; i < KEYS; i++)
        MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, drop, &keyval[i], NULL);
    for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++)
        MPI_Comm_set_attr(MPI_COMM_SELF, keyval[sets[i]], &number[sets[i]]);
    MPI_Comm_delete_attr(MPI_COMM_SELF, keyval[4]);
    status |= called != 2 || order[0] != 1 || order[1] != 4;
    called = working = 0;
    for (int i = 0; i < KEYS; i++)
        MPI_Comm_free_keyval(&keyval[i]);
    MPI_Finalize();
    status |= called != 5 || working != 5 || memcmp(order, wanted, sizeof wanted) != 0;
    if (status)
        fprintf(stderr, "rank %d: %d callbacks, %d of them right, in the order %d %d %d %d %d\n", rank, called, working,
                order[0], order[1], order[2], order[3], order[4]);
    else if (rank == 0)
        printf("No Errors\n");
    return status;
}
