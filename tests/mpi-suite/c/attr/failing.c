/* Callbacks that fail make the call fail that triggered them, with their own code, and leave the object as it was (MPI 5.0 section
 * 7.7.2). */
#include "check.h"

static int delete_code, copy_code, deletes;

static int copy(MPI_Comm comm, int keyval, void *extra, void *value_in, void *value_out, int *flag) {
    (void)comm, (void)keyval, (void)extra;
    *(void **)value_out = value_in;
    *flag = 1;
    return copy_code;
}

static int drop(MPI_Comm comm, int keyval, void *value, void *extra) {
    (void)comm, (void)keyval, (void)value, (void)extra;
    deletes++;
    return delete_code;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int keyval, first_value, second_value, flag, own_class, own_code;
    void *value;
    MPI_Comm comm, copied = MPI_COMM_NULL;
    OK(MPI_Add_error_class(&own_class));
    OK(MPI_Add_error_code(own_class, &own_code));
    OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
    OK(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    OK(MPI_Comm_create_keyval(copy, drop, &keyval, NULL));
    OK(MPI_Comm_set_attr(comm, keyval, &first_value));

    delete_code = own_code;
    EQ(MPI_Comm_set_attr(comm, keyval, &second_value), own_code);
    EQ(MPI_Comm_delete_attr(comm, keyval), own_code);
    EQ(MPI_Comm_free(&comm), own_code);
    EQ(deletes, 3);
    CHECK(comm != MPI_COMM_NULL);
    OK(MPI_Comm_get_attr(comm, keyval, &value, &flag));
    CHECK(flag && value == &first_value);
    delete_code = MPI_ERR_TAG;
    FAILS(MPI_Comm_delete_attr(comm, keyval), MPI_ERR_TAG);

    copy_code = own_code;
    delete_code = MPI_SUCCESS;
    EQ(MPI_Comm_dup(comm, &copied), own_code);
    CHECK(copied == MPI_COMM_NULL);
    copy_code = MPI_SUCCESS;
    OK(MPI_Comm_dup(comm, &copied));
    OK(MPI_Comm_free(&copied));
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_free_keyval(&keyval));
    return finish();
}
