/* Control variables: what can be set when, and that it holds (MPI 5.0 section 15.3.6). */
#include "check.h"

static MPI_T_cvar_handle handle_of(const char *name) {
    MPI_T_cvar_handle handle = MPI_T_CVAR_HANDLE_NULL;
    int index = -1, count = 0;
    OK(MPI_T_cvar_get_index(name, &index));
    OK(MPI_T_cvar_handle_alloc(index, NULL, &handle, &count));
    EQ(count, 1);
    return handle;
}

static unsigned long long rendezvous_sent(MPI_T_pvar_session session, MPI_T_pvar_handle *handle) {
    unsigned long long value = 0;
    OK(MPI_T_pvar_read(session, *handle, &value));
    return value;
}

/* One message of `bytes` around the ring. */
static void ring(int bytes) {
    char out[1000] = "", in[1000];
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    OK(MPI_Sendrecv(out, bytes, MPI_BYTE, right, 1, in, bytes, MPI_BYTE, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
}

/* The threshold between eager and rendezvous moves at once. */
static void threshold(MPI_T_cvar_handle eager) {
    MPI_T_pvar_session session;
    MPI_T_pvar_handle sent;
    MPI_Count before = 0, value = 100;
    int index, count;
    OK(MPI_T_pvar_session_create(&session));
    OK(MPI_T_pvar_get_index("hpvm_rendezvous_messages_sent", MPI_T_PVAR_CLASS_COUNTER, &index));
    OK(MPI_T_pvar_handle_alloc(session, index, NULL, &sent, &count));
    OK(MPI_T_pvar_start(session, sent));
    OK(MPI_T_cvar_read(eager, &before));
    ring(101);
    EQ(rendezvous_sent(session, &sent), 0);
    OK(MPI_T_cvar_write(eager, &value));
    ring(101);
    EQ(rendezvous_sent(session, &sent), 1);
    ring(100);
    EQ(rendezvous_sent(session, &sent), 1);
    OK(MPI_T_cvar_write(eager, &before));
    ring(101);
    EQ(rendezvous_sent(session, &sent), 1);
    OK(MPI_T_pvar_session_free(&session));
}

int main(int argc, char **argv) {
    MPI_Count value = 0, negative = -1, before = 0;
    int provided, number = 0;
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    MPI_T_cvar_handle eager = handle_of("hpvm_eager_bytes_max"), messages = handle_of("hpvm_unexpected_messages_max");
    MPI_T_cvar_handle bytes = handle_of("hpvm_unexpected_bytes_max"), packets = handle_of("hpvm_push_packets");
    MPI_T_cvar_handle trace = handle_of("hpvm_trace_fm");
    /* Before MPI_Init a tool may set what all processes have alike. */
    value = 100;
    OK(MPI_T_cvar_write(messages, &value));
    value = 50000;
    OK(MPI_T_cvar_write(bytes, &value));
    begin(&argc, &argv);
    OK(MPI_T_cvar_read(messages, &value));
    EQ(value, 100);
    FAILS(MPI_T_cvar_write(messages, &value), MPI_T_ERR_CVAR_SET_NOT_NOW);
    FAILS(MPI_T_cvar_write(bytes, &value), MPI_T_ERR_CVAR_SET_NOT_NOW);
    number = 1;
    FAILS(MPI_T_cvar_write(trace, &number), MPI_T_ERR_CVAR_SET_NEVER);
    FAILS(MPI_T_cvar_write(eager, &negative), MPI_T_ERR_INVALID);
    number = 0;
    FAILS(MPI_T_cvar_write(packets, &number), MPI_T_ERR_INVALID);
    OK(MPI_T_cvar_read(packets, &number));
    CHECK(number > 0);
    OK(MPI_T_cvar_read(eager, &before));
    FAILS(MPI_T_cvar_read(eager, NULL), MPI_T_ERR_INVALID);
    if (world_size > 1)
        threshold(eager);
    MPI_T_cvar_handle stale = eager;
    OK(MPI_T_cvar_handle_free(&eager));
    CHECK(eager == MPI_T_CVAR_HANDLE_NULL);
    FAILS(MPI_T_cvar_read(stale, &value), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_cvar_handle_free(&stale), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_cvar_read(MPI_T_CVAR_HANDLE_NULL, &value), MPI_T_ERR_INVALID_HANDLE);
    OK(MPI_T_finalize());
    return finish();
}
