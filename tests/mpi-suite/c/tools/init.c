/* The tool interface has a life of its own: counted, before MPI_Init and after MPI_Finalize, and again after its own end
 * (MPI 5.0 section 15.3.4). */
#include "check.h"

static int eager_index(void) {
    int index = -1;
    OK(MPI_T_cvar_get_index("hpvm_eager_bytes_max", &index));
    return index;
}

/* Reads the variable through a new handle. */
static MPI_Count eager_bytes_max(void) {
    MPI_T_cvar_handle handle;
    MPI_Count value = -1;
    int count = 0;
    OK(MPI_T_cvar_handle_alloc(eager_index(), NULL, &handle, &count));
    EQ(count, 1);
    OK(MPI_T_cvar_read(handle, &value));
    OK(MPI_T_cvar_handle_free(&handle));
    return value;
}

int main(int argc, char **argv) {
    int provided = -1, num = 0, flag = 1;
    MPI_T_cvar_handle stale;
    MPI_T_pvar_session session;
    FAILS(MPI_T_cvar_get_num(&num), MPI_T_ERR_NOT_INITIALIZED);
    FAILS(MPI_T_finalize(), MPI_T_ERR_NOT_INITIALIZED);
    FAILS(MPI_T_init_thread(MPI_THREAD_SINGLE, NULL), MPI_T_ERR_INVALID);
    FAILS(MPI_T_cvar_get_num(&num), MPI_T_ERR_NOT_INITIALIZED);
    OK(MPI_T_init_thread(MPI_THREAD_MULTIPLE, &provided));
    EQ(provided, MPI_THREAD_MULTIPLE);
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    EQ(provided, MPI_THREAD_SINGLE);
    OK(MPI_Initialized(&flag));
    CHECK(!flag);
    CHECK(eager_bytes_max() > 0);
    OK(MPI_T_finalize());
    /* Once more initialised than finalised: still there. */
    OK(MPI_T_cvar_get_num(&num));
    CHECK(num > 0);
    begin(&argc, &argv);
    OK(MPI_T_cvar_get_num(&num));
    int count;
    OK(MPI_T_cvar_handle_alloc(eager_index(), NULL, &stale, &count));
    OK(MPI_T_pvar_session_create(&session));
    OK(MPI_T_finalize());
    FAILS(MPI_T_cvar_get_num(&num), MPI_T_ERR_NOT_INITIALIZED);
    OK(MPI_T_init_thread(MPI_THREAD_FUNNELED, &provided));
    /* The end freed what was forgotten. */
    MPI_Count value;
    FAILS(MPI_T_cvar_read(stale, &value), MPI_T_ERR_INVALID_HANDLE);
    FAILS(MPI_T_pvar_session_free(&session), MPI_T_ERR_INVALID_SESSION);
    int status = finish();
    CHECK(eager_bytes_max() > 0);
    OK(MPI_T_finalize());
    return status || check_errors > 0;
}
