/* MPI_Comm_idup copies attributes too; the values are those when it was called (MPI 5.0 section 7.4.2). */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int keyval, value = 1, flag = 0;
    void *seen = NULL;
    MPI_Comm first, second;
    MPI_Request request;
    OK(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, &keyval, NULL));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &first));
    OK(MPI_Comm_set_attr(first, keyval, &value));
    OK(MPI_Comm_idup(first, &second, &request));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    OK(MPI_Comm_get_attr(second, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Comm_free(&first));
    OK(MPI_Barrier(second));
    OK(MPI_Comm_get_attr(second, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Comm_free(&second));
    OK(MPI_Comm_free_keyval(&keyval));
    return finish();
}
