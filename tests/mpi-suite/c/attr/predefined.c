/* The attributes that MPI itself attaches: pointers to integers (MPI 5.0 section 9.1.2). */
#include "check.h"

/* The integer, or `absent`. */
static int integer(MPI_Comm comm, int keyval, int absent) {
    int *value = NULL, flag = -1;
    OK(MPI_Comm_get_attr(comm, keyval, &value, &flag));
    return flag ? *value : absent;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int all[2], mine[2], code, new_class;
    MPI_Comm comm;
    mine[0] = integer(MPI_COMM_WORLD, MPI_TAG_UB, -1);
    CHECK(mine[0] >= 32767);
    mine[1] = -mine[0];
    OK(MPI_Allreduce(mine, all, 2, MPI_INT, MPI_MIN, MPI_COMM_WORLD));
    EQ(all[0], -all[1]);
    int host = integer(MPI_COMM_WORLD, MPI_HOST, MPI_PROC_NULL);
    CHECK(host == MPI_PROC_NULL || (host >= 0 && host < world_size));
    int io = integer(MPI_COMM_WORLD, MPI_IO, MPI_PROC_NULL);
    CHECK(io == MPI_ANY_SOURCE || io == MPI_PROC_NULL || (io >= 0 && io < world_size));
    int global = integer(MPI_COMM_WORLD, MPI_WTIME_IS_GLOBAL, 0);
    CHECK(global == 0 || global == 1);
    CHECK(integer(MPI_COMM_WORLD, MPI_APPNUM, 0) >= 0);
    CHECK(integer(MPI_COMM_WORLD, MPI_UNIVERSE_SIZE, world_size) >= world_size);

    /* MPI_LASTUSEDCODE grows with what the program adds. */
    int last = integer(MPI_COMM_WORLD, MPI_LASTUSEDCODE, -1);
    CHECK(last >= MPI_ERR_LASTCODE);
    OK(MPI_Add_error_class(&new_class));
    EQ(integer(MPI_COMM_WORLD, MPI_LASTUSEDCODE, -1), new_class);
    OK(MPI_Add_error_code(new_class, &code));
    EQ(integer(MPI_COMM_WORLD, MPI_LASTUSEDCODE, -1), code);
    CHECK(new_class > last && code > new_class);

    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    EQ(integer(comm, MPI_TAG_UB, -1), mine[0]);
    OK(MPI_Comm_free(&comm));
    EQ(integer(MPI_COMM_SELF, MPI_TAG_UB, -1), mine[0]);
    return finish();
}
