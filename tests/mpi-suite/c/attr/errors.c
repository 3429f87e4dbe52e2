/* Wrong keys raise MPI_ERR_KEYVAL and leave the program running. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm comm;
    int comm_key, type_key, freed, flag = 0, value;
    void *seen;
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &comm_key, NULL));
    OK(MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, MPI_TYPE_NULL_DELETE_FN, &type_key, NULL));

    FAILS(MPI_Comm_set_attr(comm, MPI_KEYVAL_INVALID, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_get_attr(comm, MPI_KEYVAL_INVALID, &seen, &flag), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_set_attr(comm, type_key, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_set_attr(comm, 12345, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_set_attr(comm, -1, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_set_attr(MPI_COMM_NULL, comm_key, &value), MPI_ERR_COMM);
    FAILS(MPI_Type_set_attr(MPI_INT, comm_key, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Type_set_attr(MPI_DATATYPE_NULL, type_key, &value), MPI_ERR_TYPE);
    FAILS(MPI_Comm_set_attr(comm, MPI_TAG_UB, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_delete_attr(comm, MPI_TAG_UB), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_free_keyval(&type_key), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_get_attr(comm, comm_key, &seen, NULL), MPI_ERR_ARG);

    /* To delete what is not there is no error. */
    OK(MPI_Comm_delete_attr(comm, comm_key));
    freed = comm_key;
    OK(MPI_Comm_free_keyval(&comm_key));
    FAILS(MPI_Comm_set_attr(comm, freed, &value), MPI_ERR_KEYVAL);
    FAILS(MPI_Comm_free_keyval(&comm_key), MPI_ERR_KEYVAL);
    OK(MPI_Type_free_keyval(&type_key));
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
