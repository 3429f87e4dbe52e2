/* Threads make, use and free datatypes, groups, requests, attributes and info objects all at once. */
#include "threads.h"

enum { THREADS = 6, TURNS = 300 };

static void *work(void *argument) {
    int thread = (int)(intptr_t)argument;
    for (int turn = 0; turn < TURNS; turn++) {
        MPI_Datatype vector, wide;
        MPI_Group world, part;
        MPI_Info info;
        MPI_Request request;
        int in[40], out[40], size = 0, flag = 0, first = 0;
        char value[16];
        for (int i = 0; i < 40; i++) {
            out[i] = thread * 1000 + i;
            in[i] = -1;
        }
        MPI_Type_vector(10, 1, 2, MPI_INT, &vector);
        MPI_Type_create_resized(vector, 0, 20 * sizeof(int), &wide);
        MPI_Type_free(&vector);
        MPI_Type_commit(&wide);
        MPI_Irecv(in, 2, wide, 0, thread, MPI_COMM_SELF, &request);
        MPI_Send(out, 2, wide, 0, thread, MPI_COMM_SELF);
        MPI_Type_free(&wide);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        for (int i = 0; i < 40; i++)
            THREAD_CHECK(in[i] == (i % 2 ? -1 : out[i]), "thread %d, turn %d: %d at %d", thread, turn, in[i], i);
        MPI_Comm_group(MPI_COMM_WORLD, &world);
        MPI_Group_incl(world, 1, &first, &part);
        MPI_Group_size(part, &size);
        THREAD_CHECK(size == 1, "group of %d", size);
        MPI_Group_free(&world);
        MPI_Group_free(&part);
        MPI_Info_create(&info);
        MPI_Info_set(info, "key", "value");
        MPI_Info_get(info, "key", 15, value, &flag);
        THREAD_CHECK(flag && strcmp(value, "value") == 0, "info");
        MPI_Info_free(&info);
    }
    return NULL;
}

int main(int argc, char **argv) {
    begin_multiple(&argc, &argv);
    run_threads(THREADS, work);
    return finish();
}
