/* Lengths of a communicator's queues, and the greatest since a handle was started or reset (MPI 5.0 section 15.3.7). */
#include "check.h"

enum { N = 30 };

static MPI_T_pvar_session session;

static MPI_T_pvar_handle handle_of(const char *name, int class, MPI_Comm comm) {
    MPI_T_pvar_handle handle = MPI_T_PVAR_HANDLE_NULL;
    int index = -1, count = 0;
    OK(MPI_T_pvar_get_index(name, class, &index));
    OK(MPI_T_pvar_handle_alloc(session, index, &comm, &handle, &count));
    EQ(count, 1);
    return handle;
}

static unsigned long long value_of(MPI_T_pvar_handle handle) {
    unsigned long long value = ~0ull;
    OK(MPI_T_pvar_read(session, handle, &value));
    return value;
}

static void unexpected(MPI_Comm comm) {
    MPI_T_pvar_handle here = handle_of("hpvm_unexpected_queue_length", MPI_T_PVAR_CLASS_LEVEL, comm);
    MPI_T_pvar_handle there = handle_of("hpvm_unexpected_queue_length", MPI_T_PVAR_CLASS_LEVEL, MPI_COMM_WORLD);
    MPI_T_pvar_handle most = handle_of("hpvm_unexpected_queue_length_max", MPI_T_PVAR_CLASS_HIGHWATERMARK, comm);
    MPI_T_pvar_handle other = handle_of("hpvm_unexpected_queue_length_max", MPI_T_PVAR_CLASS_HIGHWATERMARK, comm);
    unsigned long long value = 1000;
    int data[N];
    OK(MPI_T_pvar_start(session, most));
    OK(MPI_T_pvar_start(session, other));
    for (int i = 0; i < N; i++)
        OK(MPI_Send(&i, 1, MPI_INT, 0, i, comm));
    EQ(value_of(here), N);
    EQ(value_of(there), 0);
    for (int i = 0; i < N / 2; i++)
        OK(MPI_Recv(&data[i], 1, MPI_INT, 0, i, comm, MPI_STATUS_IGNORE));
    EQ(value_of(here), N - N / 2);
    EQ(value_of(most), N);
    /* A new beginning for one handle is none for the other. */
    OK(MPI_T_pvar_reset(session, most));
    EQ(value_of(most), N - N / 2);
    EQ(value_of(other), N);
    for (int i = N / 2; i < N; i++)
        OK(MPI_Recv(&data[i], 1, MPI_INT, 0, i, comm, MPI_STATUS_IGNORE));
    EQ(value_of(here), 0);
    EQ(value_of(most), N - N / 2);
    OK(MPI_T_pvar_stop(session, most));
    FAILS(MPI_T_pvar_readreset(session, most, &value), MPI_T_ERR_PVAR_NO_ATOMIC);
    OK(MPI_T_pvar_write(session, most, &value));
    EQ(value_of(most), 1000);
    FAILS(MPI_T_pvar_reset(session, here), MPI_T_ERR_PVAR_NO_WRITE);
    FAILS(MPI_T_pvar_start(session, here), MPI_T_ERR_PVAR_NO_STARTSTOP);
    /* What is always running does not spoil a call for all. */
    OK(MPI_T_pvar_reset(session, MPI_T_PVAR_ALL_HANDLES));
    EQ(value_of(most), 0);
    OK(MPI_T_pvar_handle_free(session, &most));
}

static void posted(MPI_Comm comm) {
    MPI_T_pvar_handle here = handle_of("hpvm_posted_queue_length", MPI_T_PVAR_CLASS_LEVEL, comm);
    MPI_T_pvar_handle most = handle_of("hpvm_posted_queue_length_max", MPI_T_PVAR_CLASS_HIGHWATERMARK, comm);
    MPI_Request requests[N];
    int data[N];
    OK(MPI_T_pvar_start(session, most));
    for (int i = 0; i < N; i++)
        OK(MPI_Irecv(&data[i], 1, MPI_INT, i % 2 ? MPI_ANY_SOURCE : 0, i % 3 ? i : MPI_ANY_TAG, comm, &requests[i]));
    EQ(value_of(here), N);
    OK(MPI_Cancel(&requests[N - 1]));
    OK(MPI_Wait(&requests[N - 1], MPI_STATUS_IGNORE));
    EQ(value_of(here), N - 1);
    for (int i = 0; i < N - 1; i++)
        OK(MPI_Send(&i, 1, MPI_INT, 0, i, comm));
    OK(MPI_Waitall(N - 1, requests, MPI_STATUSES_IGNORE));
    EQ(value_of(here), 0);
    EQ(value_of(most), N);
    OK(MPI_T_pvar_handle_free(session, &here));
    OK(MPI_T_pvar_handle_free(session, &most));
}

int main(int argc, char **argv) {
    int provided, index, count;
    MPI_T_pvar_handle handle;
    MPI_Comm comm, null = MPI_COMM_NULL;
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    OK(MPI_T_pvar_session_create(&session));
    OK(MPI_T_pvar_get_index("hpvm_posted_queue_length", MPI_T_PVAR_CLASS_LEVEL, &index));
    /* Before MPI_Init there is no communicator. */
    comm = MPI_COMM_SELF;
    FAILS(MPI_T_pvar_handle_alloc(session, index, &comm, &handle, &count), MPI_T_ERR_INVALID);
    begin(&argc, &argv);
    OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
    unexpected(comm);
    posted(comm);
    FAILS(MPI_T_pvar_handle_alloc(session, index, NULL, &handle, &count), MPI_T_ERR_INVALID);
    FAILS(MPI_T_pvar_handle_alloc(session, index, &null, &handle, &count), MPI_T_ERR_INVALID);
    OK(MPI_T_pvar_session_free(&session));
    OK(MPI_Comm_free(&comm));
    OK(MPI_T_finalize());
    return finish();
}
