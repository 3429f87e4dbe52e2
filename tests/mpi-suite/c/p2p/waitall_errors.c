/* A failing request among others: MPI_ERR_IN_STATUS, and each status says how its own request fared (MPI 5.0 section
 * 3.7.5). */
#include "check.h"

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    int data[100];
    for (int i = 0; i < 100; i++)
        data[i] = i;
    if (world_rank == 0) {
        OK(MPI_Recv(NULL, 0, MPI_INT, 1, 9, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        OK(MPI_Send(data, 10, MPI_INT, 1, 0, MPI_COMM_WORLD));
        OK(MPI_Send(data, 20, MPI_INT, 1, 1, MPI_COMM_WORLD));
        OK(MPI_Send(data, 30, MPI_INT, 1, 2, MPI_COMM_WORLD));
        OK(MPI_Send(data, 20, MPI_INT, 1, 3, MPI_COMM_WORLD));
        OK(MPI_Send(data, 1, MPI_INT, 1, 4, MPI_COMM_WORLD));
    } else if (world_rank == 1) {
        int in[3][100], error_class = 0;
        MPI_Request request[3];
        MPI_Status status[3];
        memset(in, 0xFF, sizeof in);
        for (int i = 0; i < 3; i++)
            OK(MPI_Irecv(in[i], i == 1 ? 5 : 100, MPI_INT, 0, i, MPI_COMM_WORLD, &request[i]));
        OK(MPI_Send(NULL, 0, MPI_INT, 0, 9, MPI_COMM_WORLD));
        int code = MPI_Waitall(3, request, status);
        /* Requests that are still under way when the error is found are pending: wait for them. */
        EQ(code, MPI_ERR_IN_STATUS);
        for (int i = 0; i < 3; i++) {
            if (status[i].MPI_ERROR == MPI_ERR_PENDING)
                OK(MPI_Wait(&request[i], &status[i]));
            else if (i != 1)
                EQ(status[i].MPI_ERROR, MPI_SUCCESS);
        }
        MPI_Error_class(status[1].MPI_ERROR, &error_class);
        EQ(error_class, MPI_ERR_TRUNCATE);
        EQ(in[0][9], 9);
        EQ(in[2][29], 29);
        /* Not a word is written beyond the buffer that was too small. */
        EQ(in[1][5], -1);
        EQ(in[1][99], -1);
        /* The blocking form returns the class itself, and the connection still works. */
        FAILS(MPI_Recv(in[0], 3, MPI_INT, 0, 3, MPI_COMM_WORLD, &status[0]), MPI_ERR_TRUNCATE);
        OK(MPI_Recv(in[0], 3, MPI_INT, 0, 4, MPI_COMM_WORLD, &status[0]));
    }
    return finish();
}
