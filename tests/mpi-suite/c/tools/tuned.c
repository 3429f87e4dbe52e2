/* A table of thresholds has reached all ranks, and they go by it: `hpvmrun --tuning FILE tuned VARIABLE VALUE …`. With hpvm_fetch_bytes_min as the
 * first of them, a message of that length is announced, and one byte less is not. */
#include "check.h"

static MPI_Count value_of(const char *name) {
    MPI_T_cvar_handle handle;
    MPI_Count value = -1;
    int index, count;
    OK(MPI_T_cvar_get_index(name, &index));
    OK(MPI_T_cvar_handle_alloc(index, NULL, &handle, &count));
    OK(MPI_T_cvar_read(handle, &value));
    OK(MPI_T_cvar_handle_free(&handle));
    return value;
}

static void check_values(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2)
        EQ(value_of(argv[i]), atoll(argv[i + 1]));
}

/* How many messages were announced for one of so many bytes around the ring, once the ranks know each other. */
static unsigned long long announced(MPI_T_pvar_session session, MPI_T_pvar_handle sent, int bytes) {
    unsigned long long before = 0, after = 0;
    char *out = calloc(1, (size_t)bytes), *in = calloc(1, (size_t)bytes);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 0; i < 20; i++)
        OK(MPI_Sendrecv(out, 1, MPI_BYTE, right, 1, in, 1, MPI_BYTE, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_T_pvar_read(session, sent, &before));
    OK(MPI_Sendrecv(out, bytes, MPI_BYTE, right, 1, in, bytes, MPI_BYTE, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    OK(MPI_T_pvar_read(session, sent, &after));
    free(out);
    free(in);
    return after - before;
}

static void check_messages(void) {
    MPI_T_pvar_session session;
    MPI_T_pvar_handle sent;
    int index, count, least = (int)value_of("hpvm_fetch_bytes_min");
    OK(MPI_T_pvar_session_create(&session));
    OK(MPI_T_pvar_get_index("hpvm_rendezvous_messages_sent", MPI_T_PVAR_CLASS_COUNTER, &index));
    OK(MPI_T_pvar_handle_alloc(session, index, NULL, &sent, &count));
    OK(MPI_T_pvar_start(session, sent));
    EQ(announced(session, sent, least - 1), 0);
    EQ(announced(session, sent, least), 1);
    OK(MPI_T_pvar_session_free(&session));
}

/* Whatever the table says, results are right. */
static void check_collectives(void) {
    enum { LONGEST = 30000 };
    static int in[LONGEST], out[LONGEST];
    for (int n = 1; n <= LONGEST; n *= 10)
        for (int call = 0; call < 5; call++) {
            for (int i = 0; i < n; i++)
                in[i] = world_rank + i + call;
            OK(MPI_Allreduce(in, out, n, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
            for (int i = 0; i < n; i++)
                EQ(out[i], world_size * (i + call) + world_size * (world_size - 1) / 2);
            OK(MPI_Bcast(in, n, MPI_INT, call % world_size, MPI_COMM_WORLD));
            EQ(in[n - 1], call % world_size + n - 1 + call);
        }
}

int main(int argc, char **argv) {
    int provided;
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    /* A tool sees before MPI_Init what there will be. */
    check_values(argc, argv);
    begin(&argc, &argv);
    check_values(argc, argv);
    if (world_size > 1 && argc > 1 && strcmp(argv[1], "hpvm_fetch_bytes_min") == 0)
        check_messages();
    check_collectives();
    OK(MPI_T_finalize());
    return finish();
}
