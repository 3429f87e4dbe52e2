/* The names of MPI-1 work on the same keys and attributes (MPI 5.0 section 16.1). */
#include "check.h"

static int deletes;

static int drop(MPI_Comm comm, int keyval, void *value, void *extra) {
    (void)comm, (void)keyval, (void)value;
    deletes += *(int *)extra;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int keyval, value, flag = 0, one = 1;
    void *seen = NULL;
    int *tag_ub = NULL;
    MPI_Comm comm, copy;
    OK(MPI_Keyval_create(MPI_DUP_FN, drop, &keyval, &one));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    OK(MPI_Attr_put(comm, keyval, &value));
    OK(MPI_Comm_get_attr(comm, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Comm_dup(comm, &copy));
    OK(MPI_Attr_get(copy, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Attr_delete(copy, keyval));
    EQ(deletes, 1);
    OK(MPI_Attr_get(copy, keyval, &seen, &flag));
    EQ(flag, 0);
    OK(MPI_Keyval_free(&keyval));
    EQ(keyval, MPI_KEYVAL_INVALID);
    OK(MPI_Comm_free(&comm));
    EQ(deletes, 2);
    OK(MPI_Comm_free(&copy));
    OK(MPI_Attr_get(MPI_COMM_WORLD, MPI_TAG_UB, &tag_ub, &flag));
    CHECK(flag && *tag_ub >= 32767);
    OK(MPI_Keyval_create(MPI_NULL_COPY_FN, MPI_NULL_DELETE_FN, &keyval, NULL));
    OK(MPI_Keyval_free(&keyval));
    return finish();
}
