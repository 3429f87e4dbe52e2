/* Persistent requests of every mode, started again and again, alone and together (MPI 5.0 section 3.9). */
#include "check.h"

enum { N = 3000, TURNS = 6, KINDS = 5 };

static void init_sends(int *const *out, MPI_Request *request) {
    OK(MPI_Send_init(out[0], N, MPI_INT, 1, 0, MPI_COMM_WORLD, &request[0]));
    OK(MPI_Ssend_init(out[1], N, MPI_INT, 1, 1, MPI_COMM_WORLD, &request[1]));
    OK(MPI_Bsend_init(out[2], N, MPI_INT, 1, 2, MPI_COMM_WORLD, &request[2]));
    OK(MPI_Rsend_init(out[3], N, MPI_INT, 1, 3, MPI_COMM_WORLD, &request[3]));
    OK(MPI_Send_init(out[4], N, MPI_INT, MPI_PROC_NULL, 4, MPI_COMM_WORLD, &request[4]));
}

static void inactive_is_empty(MPI_Request *request) {
    MPI_Status status;
    int flag = 0, count = -1;
    OK(MPI_Wait(request, &status));
    CHECK(*request != MPI_REQUEST_NULL);
    EQ(status.MPI_SOURCE, MPI_ANY_SOURCE);
    EQ(status.MPI_TAG, MPI_ANY_TAG);
    OK(MPI_Get_count(&status, MPI_INT, &count));
    EQ(count, 0);
    OK(MPI_Test(request, &flag, &status));
    CHECK(flag);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    int *buffer[KINDS], size = 0, attached_size;
    MPI_Request request[KINDS];
    MPI_Status status[KINDS];
    for (int k = 0; k < KINDS; k++)
        buffer[k] = get_memory(N * sizeof(int));
    OK(MPI_Pack_size(N, MPI_INT, MPI_COMM_WORLD, &size));
    attached_size = size + MPI_BSEND_OVERHEAD;
    void *attached = get_memory((size_t)attached_size);
    OK(MPI_Buffer_attach(attached, attached_size));
    if (world_rank == 0) {
        init_sends(buffer, request);
    } else {
        int source = world_rank == 1 ? 0 : MPI_PROC_NULL;
        for (int k = 0; k < KINDS; k++)
            OK(MPI_Recv_init(buffer[k], N, MPI_INT, k < 4 ? source : MPI_PROC_NULL, k, MPI_COMM_WORLD, &request[k]));
    }
    for (int k = 0; k < KINDS; k++)
        inactive_is_empty(&request[k]);
    for (int turn = 0; turn < TURNS; turn++) {
        if (world_rank == 0)
            for (int k = 0; k < KINDS; k++)
                for (int i = 0; i < N; i++)
                    buffer[k][i] = turn * 1000 + k * 100 + i;
        else if (turn % 2)
            OK(MPI_Startall(KINDS, request));
        else
            for (int k = KINDS - 1; k >= 0; k--)
                OK(MPI_Start(&request[k]));
        /* A ready send needs its receive posted. */
        OK(MPI_Barrier(MPI_COMM_WORLD));
        if (world_rank == 0)
            OK(MPI_Startall(KINDS, request));
        OK(MPI_Waitall(KINDS, request, status));
        for (int k = 0; k < KINDS; k++) {
            CHECK(request[k] != MPI_REQUEST_NULL);
            if (world_rank == 1 && k < 4) {
                EQ(status[k].MPI_SOURCE, 0);
                EQ(status[k].MPI_TAG, k);
                for (int i = 0; i < N; i++)
                    if (buffer[k][i] != turn * 1000 + k * 100 + i) {
                        CHECK_FAILED("turn %d, kind %d: wrong at %d", turn, k, i);
                        break;
                    }
            }
        }
    }
    for (int k = 0; k < KINDS; k++) {
        inactive_is_empty(&request[k]);
        OK(MPI_Request_free(&request[k]));
        CHECK(request[k] == MPI_REQUEST_NULL);
        free(buffer[k]);
    }
    void *detached;
    OK(MPI_Buffer_detach(&detached, &size));
    free(attached);
    return finish();
}
