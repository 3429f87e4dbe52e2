/* Performance variables that add up: what they count, and what start, stop, reset, readreset and write do to one handle's
 * view of them (MPI 5.0 section 15.3.7). */
#include "check.h"

static MPI_T_pvar_session session;
static char out[200000], in[200000];

static MPI_T_pvar_handle handle_of(const char *name, int class) {
    MPI_T_pvar_handle handle = MPI_T_PVAR_HANDLE_NULL;
    int index = -1, count = 0;
    OK(MPI_T_pvar_get_index(name, class, &index));
    OK(MPI_T_pvar_handle_alloc(session, index, NULL, &handle, &count));
    EQ(count, 1);
    return handle;
}

static unsigned long long value_of(MPI_T_pvar_handle handle) {
    unsigned long long value = ~0ull;
    OK(MPI_T_pvar_read(session, handle, &value));
    return value;
}

/* `times` messages of `bytes` to the right neighbour, as many from the left. */
static void ring(int times, int bytes) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 0; i < times; i++)
        OK(MPI_Sendrecv(out, bytes, MPI_BYTE, right, 1, in, bytes, MPI_BYTE, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
}

static void kinds(void) {
    static const char *const names[] = {"hpvm_eager_messages_sent",        "hpvm_eager_messages_received",
                                        "hpvm_rendezvous_messages_sent",   "hpvm_rendezvous_messages_received",
                                        "hpvm_self_messages",              "hpvm_eager_bytes_sent",
                                        "hpvm_eager_bytes_received",       "hpvm_rendezvous_bytes_sent",
                                        "hpvm_rendezvous_bytes_received",  "hpvm_self_bytes"};
    static const int alone[] = {0, 0, 0, 0, 8, 0, 0, 0, 0, 3 * 200000 + 5 * 60};
    static const int several[] = {5, 5, 3, 3, 0, 300, 300, 600000, 600000, 0};
    MPI_T_pvar_handle handles[10];
    for (int i = 0; i < 10; i++)
        handles[i] = handle_of(names[i], i < 5 ? MPI_T_PVAR_CLASS_COUNTER : MPI_T_PVAR_CLASS_AGGREGATE);
    /* Not started, they do not count. */
    ring(2, 60);
    OK(MPI_T_pvar_start(session, MPI_T_PVAR_ALL_HANDLES));
    ring(5, 60);
    ring(3, 200000);
    OK(MPI_T_pvar_stop(session, MPI_T_PVAR_ALL_HANDLES));
    ring(2, 60);
    for (int i = 0; i < 10; i++) {
        unsigned long long wanted = (unsigned long long)(world_size == 1 ? alone[i] : several[i]);
        CHECK_MSG(value_of(handles[i]) == wanted, "%s is %llu, expected %llu", names[i], value_of(handles[i]), wanted);
        OK(MPI_T_pvar_handle_free(session, &handles[i]));
        CHECK(handles[i] == MPI_T_PVAR_HANDLE_NULL);
    }
}

static void rules(void) {
    const char *name = world_size == 1 ? "hpvm_self_messages" : "hpvm_eager_messages_sent";
    MPI_T_pvar_handle sent = handle_of(name, MPI_T_PVAR_CLASS_COUNTER), other = handle_of(name, MPI_T_PVAR_CLASS_COUNTER);
    unsigned long long value = 1000;
    EQ(value_of(sent), 0);
    OK(MPI_T_pvar_start(session, sent));
    OK(MPI_T_pvar_start(session, other));
    ring(4, 1);
    /* A second start is no new beginning. */
    OK(MPI_T_pvar_start(session, sent));
    EQ(value_of(sent), 4);
    OK(MPI_T_pvar_stop(session, sent));
    ring(1, 1);
    EQ(value_of(sent), 4);
    OK(MPI_T_pvar_start(session, sent));
    ring(2, 1);
    EQ(value_of(sent), 6);
    OK(MPI_T_pvar_readreset(session, sent, &value));
    EQ(value, 6);
    EQ(value_of(sent), 0);
    ring(1, 1);
    EQ(value_of(sent), 1);
    OK(MPI_T_pvar_reset(session, sent));
    EQ(value_of(sent), 0);
    value = 1000;
    OK(MPI_T_pvar_write(session, sent, &value));
    ring(1, 1);
    EQ(value_of(sent), 1001);
    /* All that time nobody touched the other handle. */
    EQ(value_of(other), 9);
    OK(MPI_T_pvar_reset(session, MPI_T_PVAR_ALL_HANDLES));
    EQ(value_of(sent), 0);
    EQ(value_of(other), 0);
    OK(MPI_T_pvar_handle_free(session, &sent));
    OK(MPI_T_pvar_handle_free(session, &other));
}

static void mistakes(void) {
    MPI_T_pvar_session second, stale_session;
    MPI_T_pvar_handle handle = handle_of("hpvm_self_messages", MPI_T_PVAR_CLASS_COUNTER), stale = handle;
    MPI_T_pvar_handle state = handle_of("hpvm_world_model", MPI_T_PVAR_CLASS_STATE);
    unsigned long long value;
    int number = -1, count, index = -1;
    OK(MPI_T_pvar_read(session, state, &number));
    EQ(number, 1);
    FAILS(MPI_T_pvar_start(session, state), MPI_T_ERR_PVAR_NO_STARTSTOP);
    FAILS(MPI_T_pvar_stop(session, state), MPI_T_ERR_PVAR_NO_STARTSTOP);
    FAILS(MPI_T_pvar_reset(session, state), MPI_T_ERR_PVAR_NO_WRITE);
    FAILS(MPI_T_pvar_write(session, state, &number), MPI_T_ERR_PVAR_NO_WRITE);
    FAILS(MPI_T_pvar_readreset(session, state, &number), MPI_T_ERR_PVAR_NO_WRITE);
    FAILS(MPI_T_pvar_read(session, MPI_T_PVAR_ALL_HANDLES, &value), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_pvar_read(session, MPI_T_PVAR_HANDLE_NULL, &value), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_pvar_read(MPI_T_PVAR_SESSION_NULL, handle, &value), MPI_T_ERR_INVALID_SESSION);
    FAILS(MPI_T_pvar_read(session, handle, NULL), MPI_T_ERR_INVALID);
    FAILS(MPI_T_pvar_handle_alloc(session, -1, NULL, &handle, &count), MPI_T_ERR_INVALID_INDEX);
    /* A handle is its session's. */
    OK(MPI_T_pvar_session_create(&second));
    FAILS(MPI_T_pvar_read(second, handle, &value), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_pvar_handle_free(second, &handle), MPI_T_ERR_INVALID_HANDLE);
    OK(MPI_T_pvar_handle_free(session, &handle));
    FAILS(MPI_T_pvar_read(session, stale, &value), MPI_T_ERR_INVALID_HANDLE);
    stale_session = second;
    OK(MPI_T_pvar_session_free(&second));
    CHECK(second == MPI_T_PVAR_SESSION_NULL);
    OK(MPI_T_pvar_get_index("hpvm_self_messages", MPI_T_PVAR_CLASS_COUNTER, &index));
    FAILS(MPI_T_pvar_handle_alloc(stale_session, index, NULL, &handle, &count), MPI_T_ERR_INVALID_SESSION);
    FAILS(MPI_T_pvar_start(stale_session, MPI_T_PVAR_ALL_HANDLES), MPI_T_ERR_INVALID_SESSION);
    OK(MPI_T_pvar_handle_free(session, &state));
}

/* Messages of Fast Messages by kind: counted with HPVM_TRACE=fm, which the manifest sets for one run. */
static void fast_messages(void) {
    unsigned long long values[100];
    MPI_T_pvar_handle handle;
    int index, count = 0;
    OK(MPI_T_pvar_get_index("hpvm_fm_messages_sent", MPI_T_PVAR_CLASS_COUNTER, &index));
    OK(MPI_T_pvar_handle_alloc(session, index, NULL, &handle, &count));
    CHECK(count > 1 && count <= 100);
    OK(MPI_T_pvar_start(session, handle));
    ring(5, 60);
    OK(MPI_T_pvar_read(session, handle, values));
    EQ(values[0], getenv("HPVM_TRACE") && world_size > 1 ? 5 : 0);
    OK(MPI_T_pvar_handle_free(session, &handle));
}

int main(int argc, char **argv) {
    int provided;
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    OK(MPI_T_pvar_session_create(&session));
    begin(&argc, &argv);
    kinds();
    rules();
    mistakes();
    fast_messages();
    MPI_T_pvar_handle handle = handle_of("hpvm_self_messages", MPI_T_PVAR_CLASS_COUNTER);
    MPI_T_pvar_handle state = handle_of("hpvm_world_model", MPI_T_PVAR_CLASS_STATE);
    OK(MPI_T_pvar_start(session, handle));
    OK(MPI_Sendrecv(out, 1, MPI_BYTE, 0, 1, in, 1, MPI_BYTE, 0, 1, MPI_COMM_SELF, MPI_STATUS_IGNORE));
    int status = finish(), number = -1;
    /* What was counted can be read after the end. */
    CHECK(value_of(handle) >= 1);
    OK(MPI_T_pvar_read(session, state, &number));
    EQ(number, 2);
    OK(MPI_T_pvar_session_free(&session));
    OK(MPI_T_finalize());
    return status || check_errors > 0;
}
