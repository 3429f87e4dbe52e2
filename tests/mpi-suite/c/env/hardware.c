/* What MPI_Get_hw_resource_info names can be used to split a communicator (MPI 5.0 sections 7.4.2 and 9.1.2). */
#include "check.h"

int main(int argc, char **argv) {
    MPI_Info before = MPI_INFO_NULL, info = MPI_INFO_NULL;
    OK(MPI_Get_hw_resource_info(&before));
    CHECK(before != MPI_INFO_NULL);
    OK(MPI_Info_free(&before));
    begin(&argc, &argv);
    int keys = 0;
    OK(MPI_Get_hw_resource_info(&info));
    OK(MPI_Info_get_nkeys(info, &keys));
    CHECK(keys > 0);
    for (int i = 0; i < keys; i++) {
        char key[MPI_MAX_INFO_KEY], value[8] = "";
        int length = sizeof value, found = 0;
        OK(MPI_Info_get_nthkey(info, i, key));
        OK(MPI_Info_get_string(info, key, &length, value, &found));
        CHECK(found);
        CHECK_MSG(!strcmp(value, "true") || !strcmp(value, "false"), "%s is %s", key, value);
        if (strcmp(value, "true"))
            continue;
        MPI_Info wanted;
        MPI_Comm comm = MPI_COMM_NULL;
        OK(MPI_Info_create(&wanted));
        OK(MPI_Info_set(wanted, "mpi_hw_resource_type", key));
        OK(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_HW_GUIDED, 0, wanted, &comm));
        CHECK_MSG(comm != MPI_COMM_NULL, "%s cannot be split by", key);
        if (comm != MPI_COMM_NULL)
            OK(MPI_Comm_free(&comm));
        OK(MPI_Info_free(&wanted));
    }
    OK(MPI_Info_free(&info));
    return finish();
}
