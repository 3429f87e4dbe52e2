/* The forms with MPI_Count arguments do what their twins do (MPI 5.0 section 19.2). */
#include "check.h"

enum { N = 50000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *out = get_memory(N * sizeof(int)), *in = get_memory(N * sizeof(int));
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size, flag = 0;
    MPI_Count n = N, count = -1, size = 0;
    MPI_Request request[2];
    MPI_Status status, statuses[2];
    MPI_Message message;
    for (int i = 0; i < N; i++)
        out[i] = world_rank + i;
    OK(MPI_Pack_size_c(n, MPI_INT, MPI_COMM_WORLD, &size));
    size += MPI_BSEND_OVERHEAD;
    void *buffer = get_memory((size_t)size), *detached;
    OK(MPI_Buffer_attach_c(buffer, size));
    for (int mode = 0; mode < 8; mode++) {
        memset(in, 0xFF, N * sizeof(int));
        OK(MPI_Irecv_c(in, n, MPI_INT, left, mode, MPI_COMM_WORLD, &request[0]));
        OK(MPI_Barrier(MPI_COMM_WORLD));
        request[1] = MPI_REQUEST_NULL;
        switch (mode) {
        case 0: OK(MPI_Send_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD)); break;
        case 1: OK(MPI_Ssend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD)); break;
        case 2: OK(MPI_Rsend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD)); break;
        case 3: OK(MPI_Bsend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD)); break;
        case 4: OK(MPI_Isend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD, &request[1])); break;
        case 5: OK(MPI_Issend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD, &request[1])); break;
        case 6:
            OK(MPI_Send_init_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD, &request[1]));
            OK(MPI_Start(&request[1]));
            break;
        case 7: OK(MPI_Ibsend_c(out, n, MPI_INT, right, mode, MPI_COMM_WORLD, &request[1])); break;
        }
        OK(MPI_Waitall(2, request, statuses));
        if (mode == 6)
            OK(MPI_Request_free(&request[1]));
        OK(MPI_Get_count_c(&statuses[0], MPI_INT, &count));
        EQ(count, N);
        OK(MPI_Get_elements_c(&statuses[0], MPI_INT, &count));
        EQ(count, N);
        EQ(in[0], left);
        EQ(in[N - 1], left + N - 1);
    }
    OK(MPI_Sendrecv_c(out, n, MPI_INT, right, 9, in, n, MPI_INT, left, 9, MPI_COMM_WORLD, &status));
    EQ(in[N - 1], left + N - 1);
    OK(MPI_Sendrecv_replace_c(in, n, MPI_INT, right, 9, left, 9, MPI_COMM_WORLD, &status));
    EQ(in[N - 1], (left + world_size - 1) % world_size + N - 1);
    OK(MPI_Isend_c(out, n, MPI_INT, right, 10, MPI_COMM_WORLD, &request[0]));
    while (!flag)
        OK(MPI_Improbe(left, 10, MPI_COMM_WORLD, &flag, &message, &status));
    OK(MPI_Mrecv_c(in, n, MPI_INT, &message, &status));
    OK(MPI_Wait(&request[0], MPI_STATUS_IGNORE));
    EQ(in[7], left + 7);
    OK(MPI_Buffer_detach_c(&detached, &size));
    CHECK(detached == buffer);
    free(buffer);
    free(out);
    free(in);
    return finish();
}
