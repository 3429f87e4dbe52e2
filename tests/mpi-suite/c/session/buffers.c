/* Buffers attached to sessions: which one a buffered send takes, and what is flushed when (MPI 5.0 section 3.6). */
#include "session.h"

enum { COUNT = 3000 };

static char memory[2][COUNT * sizeof(int) + MPI_BSEND_OVERHEAD];

int main(void) {
    begin_session("MPI_THREAD_SINGLE");
    int out[COUNT], in[COUNT], right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    void *address = NULL;
    int size = -1;
    MPI_Count large = -1;
    MPI_Request request;
    MPI_Session other = open_session("MPI_THREAD_SINGLE");
    MPI_Comm its = comm_of(other, "mpi://WORLD", "its");
    for (int i = 0; i < COUNT; i++)
        out[i] = world_rank + i;

    FAILS(MPI_Session_detach_buffer(own_session, &address, &size), MPI_ERR_BUFFER);
    FAILS(MPI_Bsend(out, 1, MPI_INT, right, 0, everyone), MPI_ERR_BUFFER);
    OK(MPI_Session_attach_buffer(own_session, memory[0], sizeof memory[0]));
    FAILS(MPI_Session_attach_buffer(own_session, memory[1], sizeof memory[1]), MPI_ERR_BUFFER);
    /* Another session's communicators do not see it. */
    FAILS(MPI_Bsend(out, 1, MPI_INT, right, 0, its), MPI_ERR_BUFFER);
    OK(MPI_Session_attach_buffer_c(other, memory[1], MPI_BSEND_OVERHEAD + 8));
    OK(MPI_Bsend(out, 2, MPI_INT, right, 1, its));

    /* A duplicate belongs to the same session. */
    MPI_Comm dup;
    OK(MPI_Comm_dup(everyone, &dup));
    OK(MPI_Bsend(out, COUNT, MPI_INT, right, 2, dup));
    OK(MPI_Recv(in, COUNT, MPI_INT, left, 2, dup, MPI_STATUS_IGNORE));
    EQ(in[COUNT - 1], left + COUNT - 1);
    OK(MPI_Session_flush_buffer(own_session));
    OK(MPI_Bsend(out, COUNT, MPI_INT, right, 3, everyone));
    OK(MPI_Session_iflush_buffer(own_session, &request));
    OK(MPI_Recv(in, COUNT, MPI_INT, left, 3, everyone, MPI_STATUS_IGNORE));
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    CHECK(request == MPI_REQUEST_NULL);
    OK(MPI_Session_detach_buffer(own_session, &address, &size));
    CHECK(address == memory[0]);
    EQ(size, sizeof memory[0]);
    FAILS(MPI_Bsend(out, 1, MPI_INT, right, 0, dup), MPI_ERR_BUFFER);

    OK(MPI_Recv(in, 2, MPI_INT, left, 1, its, MPI_STATUS_IGNORE));
    EQ(in[1], left + 1);
    OK(MPI_Session_detach_buffer_c(other, &address, &large));
    CHECK(address == memory[1]);
    EQ(large, MPI_BSEND_OVERHEAD + 8);

    /* The end of a session gives the buffer back once the messages have left. */
    OK(MPI_Session_attach_buffer(other, memory[1], sizeof memory[1]));
    OK(MPI_Bsend(out, COUNT, MPI_INT, right, 4, its));
    OK(MPI_Recv(in, COUNT, MPI_INT, left, 4, its, MPI_STATUS_IGNORE));
    EQ(in[5], left + 5);
    OK(MPI_Comm_free(&its));
    OK(MPI_Session_finalize(&other));
    OK(MPI_Comm_free(&dup));
    return finish_session();
}
