/* MPI_PROC_NULL takes and gives nothing at once, in every kind of call (MPI 5.0 section 3.10). Zero-size messages to
 * real ranks do arrive. */
#include "check.h"

static void nothing_received(const MPI_Status *status) {
    int count = -1;
    EQ(status->MPI_SOURCE, MPI_PROC_NULL);
    EQ(status->MPI_TAG, MPI_ANY_TAG);
    OK(MPI_Get_count(status, MPI_INT, &count));
    EQ(count, 0);
}

static void nobody(void) {
    int data[4] = {1, 2, 3, 4}, flag;
    MPI_Request request[4];
    MPI_Status status[4];
    MPI_Comm comm = MPI_COMM_WORLD;
    OK(MPI_Send(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm));
    OK(MPI_Ssend(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm));
    OK(MPI_Bsend(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm));
    OK(MPI_Rsend(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm));
    OK(MPI_Recv(data, 4, MPI_INT, MPI_PROC_NULL, 3, comm, &status[0]));
    nothing_received(&status[0]);
    OK(MPI_Isend(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm, &request[0]));
    OK(MPI_Issend(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm, &request[1]));
    OK(MPI_Irecv(data, 4, MPI_INT, MPI_PROC_NULL, 0, comm, &request[2]));
    OK(MPI_Irecv(data, 4, MPI_INT, MPI_PROC_NULL, MPI_ANY_TAG, comm, &request[3]));
    OK(MPI_Testall(4, request, &flag, status));
    CHECK(flag);
    nothing_received(&status[2]);
    nothing_received(&status[3]);
    OK(MPI_Sendrecv(data, 4, MPI_INT, MPI_PROC_NULL, 0, data, 4, MPI_INT, MPI_PROC_NULL, 0, comm, &status[0]));
    nothing_received(&status[0]);
    for (int i = 0; i < 4; i++)
        EQ(data[i], i + 1);
}

static void zero_sizes(void) {
    MPI_Status status;
    int count = -1;
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    MPI_Datatype empty;
    OK(MPI_Type_contiguous(0, MPI_INT, &empty));
    OK(MPI_Type_commit(&empty));
    OK(MPI_Sendrecv(NULL, 0, MPI_INT, right, 1, NULL, 0, MPI_INT, left, 1, MPI_COMM_WORLD, &status));
    EQ(status.MPI_SOURCE, left);
    EQ(status.MPI_TAG, 1);
    OK(MPI_Get_count(&status, MPI_INT, &count));
    EQ(count, 0);
    int guard = 5;
    OK(MPI_Sendrecv(&guard, 3, empty, right, 2, &guard, 7, empty, left, 2, MPI_COMM_WORLD, &status));
    EQ(guard, 5);
    OK(MPI_Get_count(&status, empty, &count));
    EQ(count, 0);
    /* nothing into a large buffer */
    int large[100];
    memset(large, 7, sizeof large);
    OK(MPI_Sendrecv(NULL, 0, MPI_INT, right, 3, large, 100, MPI_INT, left, 3, MPI_COMM_WORLD, &status));
    OK(MPI_Get_count(&status, MPI_INT, &count));
    EQ(count, 0);
    EQ(large[0], 0x07070707);
    OK(MPI_Type_free(&empty));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    nobody();
    zero_sizes();
    return finish();
}
