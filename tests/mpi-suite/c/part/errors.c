/* Wrong uses of partitioned communication are told (MPI 5.0 chapter 4). */
#include "check.h"

static int buffer[12], into[12];

static void arguments(void) {
    MPI_Request request = MPI_REQUEST_NULL;
    FAILS(MPI_Psend_init(buffer, -1, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_ARG);
    FAILS(MPI_Psend_init(buffer, 2, -1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_COUNT);
    FAILS(MPI_Psend_init_c(buffer, 1000000, (MPI_Count)1 << 60, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request),
          MPI_ERR_COUNT);
    FAILS(MPI_Psend_init(buffer, 2, 1, MPI_INT, world_size, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_RANK);
    FAILS(MPI_Precv_init(buffer, 2, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_RANK);
    FAILS(MPI_Precv_init(buffer, 2, 1, MPI_INT, 0, MPI_ANY_TAG, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_TAG);
    FAILS(MPI_Precv_init(buffer, 2, 1, MPI_DATATYPE_NULL, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request), MPI_ERR_TYPE);
    FAILS(MPI_Precv_init(buffer, 2, 1, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_INFO_NULL, NULL), MPI_ERR_ARG);
    CHECK(request == MPI_REQUEST_NULL);
}

static void states(void) {
    MPI_Request send, receive, plain;
    int list[3] = {2, 1, 2}, flag = 0, beyond[2] = {0, 4};
    OK(MPI_Psend_init(buffer, 4, 3, MPI_INT, world_rank, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &send));
    OK(MPI_Precv_init(into, 3, 4, MPI_INT, world_rank, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &receive));
    OK(MPI_Send_init(buffer, 1, MPI_INT, world_rank, 0, MPI_COMM_WORLD, &plain));
    FAILS(MPI_Pready(0, MPI_REQUEST_NULL), MPI_ERR_REQUEST);
    FAILS(MPI_Pready(0, send), MPI_ERR_REQUEST);
    FAILS(MPI_Pready(0, plain), MPI_ERR_REQUEST);
    FAILS(MPI_Parrived(plain, 0, &flag), MPI_ERR_REQUEST);
    FAILS(MPI_Parrived(send, 0, &flag), MPI_ERR_REQUEST);
    for (int round = 0; round < 2; round++) {
        OK(MPI_Start(&send));
        FAILS(MPI_Start(&send), MPI_ERR_REQUEST);
        OK(MPI_Start(&receive));
        FAILS(MPI_Start(&receive), MPI_ERR_REQUEST);
        FAILS(MPI_Pready(0, receive), MPI_ERR_REQUEST);
        FAILS(MPI_Pready(4, send), MPI_ERR_ARG);
        FAILS(MPI_Pready(-1, send), MPI_ERR_ARG);
        FAILS(MPI_Pready_range(2, 4, send), MPI_ERR_ARG);
        FAILS(MPI_Pready_list(3, list, send), MPI_ERR_ARG);
        FAILS(MPI_Pready_list(2, beyond, send), MPI_ERR_ARG);
        FAILS(MPI_Pready_list(-1, list, send), MPI_ERR_ARG);
        FAILS(MPI_Pready_list(1, NULL, send), MPI_ERR_ARG);
        FAILS(MPI_Parrived(receive, 3, &flag), MPI_ERR_ARG);
        FAILS(MPI_Cancel(&send), MPI_ERR_REQUEST);
        FAILS(MPI_Cancel(&receive), MPI_ERR_REQUEST);
        FAILS(MPI_Request_free(&send), MPI_ERR_REQUEST);
        /* None of the above marked anything. */
        OK(MPI_Pready_range(1, 0, send));
        OK(MPI_Pready_list(2, list, send));
        FAILS(MPI_Pready(1, send), MPI_ERR_ARG);
        OK(MPI_Test(&send, &flag, MPI_STATUS_IGNORE));
        EQ(flag, 0);
        OK(MPI_Parrived(receive, 0, &flag));
        EQ(flag, 0);
        OK(MPI_Parrived(receive, 1, &flag));
        EQ(flag, 1);
        OK(MPI_Pready(3, send));
        OK(MPI_Pready(0, send));
        OK(MPI_Wait(&send, MPI_STATUS_IGNORE));
        OK(MPI_Wait(&receive, MPI_STATUS_IGNORE));
        FAILS(MPI_Pready(0, send), MPI_ERR_REQUEST);
    }
    OK(MPI_Request_free(&plain));
    OK(MPI_Request_free(&send));
    FAILS(MPI_Request_free(&send), MPI_ERR_REQUEST);
    OK(MPI_Request_free(&receive));
}

/* Both sides hear of it when their lengths differ. */
static void lengths(int sent, int received, int error_class) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    MPI_Request send, receive;
    OK(MPI_Psend_init(buffer, sent, 1, MPI_INT, right, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &send));
    OK(MPI_Precv_init(into, received, 1, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &receive));
    for (int round = 0; round < 2; round++) {
        memset(into, 0x55, sizeof into);
        OK(MPI_Start(&receive));
        OK(MPI_Start(&send));
        OK(MPI_Pready_range(0, sent - 1, send));
        FAILS(MPI_Wait(&receive, MPI_STATUS_IGNORE), error_class);
        FAILS(MPI_Wait(&send, MPI_STATUS_IGNORE), sent < received ? MPI_ERR_TRUNCATE : MPI_ERR_COUNT);
        EQ(into[0], 0x55555555);
    }
    OK(MPI_Request_free(&send));
    OK(MPI_Request_free(&receive));
    OK(MPI_Barrier(MPI_COMM_WORLD));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    arguments();
    states();
    lengths(4, 3, MPI_ERR_TRUNCATE);
    lengths(3, 4, MPI_ERR_COUNT);
    lengths(3, 0, MPI_ERR_TRUNCATE);
    lengths(0, 3, MPI_ERR_COUNT);
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_ARE_FATAL));
    return finish();
}
