/* Wrong arguments of the info functions raise an error and leave the program running. */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    static char key[MPI_MAX_INFO_KEY + 1], value[MPI_MAX_INFO_VAL + 1];
    memset(key, 'k', MPI_MAX_INFO_KEY);
    memset(value, 'v', MPI_MAX_INFO_VAL);
    MPI_Info info, freed;
    int n = 0, flag = 0;
    OK(MPI_Info_create(&info));

    FAILS(MPI_Info_set(info, key, "value"), MPI_ERR_INFO_KEY);
    FAILS(MPI_Info_set(info, "", "value"), MPI_ERR_INFO_KEY);
    FAILS(MPI_Info_set(info, "key", value), MPI_ERR_INFO_VALUE);
    FAILS(MPI_Info_delete(info, "key"), MPI_ERR_INFO_NOKEY);
    FAILS(MPI_Info_get_nthkey(info, 0, value), MPI_ERR_ARG);
    FAILS(MPI_Info_get_nthkey(info, -1, value), MPI_ERR_ARG);
    FAILS(MPI_Info_get_valuelen(info, key, &n, &flag), MPI_ERR_INFO_KEY);
    FAILS(MPI_Info_get(info, "key", -1, value, &flag), MPI_ERR_ARG);

    FAILS(MPI_Info_get_nkeys(MPI_INFO_NULL, &n), MPI_ERR_INFO);
    FAILS(MPI_Info_set(MPI_INFO_NULL, "key", "value"), MPI_ERR_INFO);
    freed = info;
    OK(MPI_Info_free(&info));
    FAILS(MPI_Info_free(&info), MPI_ERR_INFO);
    FAILS(MPI_Info_get_nkeys(freed, &n), MPI_ERR_INFO);

    FAILS(MPI_Info_set(MPI_INFO_ENV, "host", "elsewhere"), MPI_ERR_INFO);
    info = MPI_INFO_ENV;
    FAILS(MPI_Info_free(&info), MPI_ERR_INFO);
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
