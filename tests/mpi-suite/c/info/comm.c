/* Hints on communicators: they add up, and are not inherited by a duplicate (MPI 5.0 section 7.4.4). */
#include "check.h"

static int has(MPI_Comm comm, const char *key, const char *wanted) {
    MPI_Info used = MPI_INFO_NULL;
    char value[MPI_MAX_INFO_VAL] = "";
    int flag = 0, room = MPI_MAX_INFO_VAL;
    OK(MPI_Comm_get_info(comm, &used));
    OK(MPI_Info_get_string(used, key, &room, value, &flag));
    OK(MPI_Info_free(&used));
    return flag && strcmp(value, wanted) == 0;
}

static void set(MPI_Comm comm, const char *key, const char *value) {
    MPI_Info info;
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, key, value));
    OK(MPI_Comm_set_info(comm, info));
    OK(MPI_Info_free(&info));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Comm comm, plain, hinted;
    MPI_Info info;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    set(comm, "mpi_assert_no_any_tag", "false");
    CHECK(has(comm, "mpi_assert_no_any_tag", "false"));
    set(comm, "mpi_assert_no_any_source", "true");
    set(comm, "mpi_assert_no_any_tag", "true");
    CHECK(has(comm, "mpi_assert_no_any_source", "true"));
    CHECK(has(comm, "mpi_assert_no_any_tag", "true"));
    CHECK(!has(MPI_COMM_WORLD, "mpi_assert_no_any_tag", "true"));

    OK(MPI_Comm_dup(comm, &plain));
    CHECK(!has(plain, "mpi_assert_no_any_tag", "true"));
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "mpi_assert_exact_length", "true"));
    OK(MPI_Comm_dup_with_info(comm, info, &hinted));
    OK(MPI_Info_free(&info));
    CHECK(has(hinted, "mpi_assert_exact_length", "true"));
    CHECK(!has(hinted, "mpi_assert_no_any_tag", "true"));
    CHECK(!has(comm, "mpi_assert_exact_length", "true"));
    OK(MPI_Comm_free(&hinted));
    OK(MPI_Comm_free(&plain));
    OK(MPI_Comm_free(&comm));
    return finish();
}
