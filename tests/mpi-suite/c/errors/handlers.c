/* Error handlers of the user's: called with the communicator and the code, inherited by dup, replaced, called on
 * purpose; classes, codes and strings of the user's (MPI 5.0 sections 9.3 to 9.5). */
#include "check.h"

#include <stdarg.h>

static int calls, last_class;
static MPI_Comm last_comm;

static void note(MPI_Comm *comm, int *code, ...) {
    calls++;
    last_comm = *comm;
    MPI_Error_class(*code, &last_class);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Errhandler handler, seen;
    MPI_Comm comm, copy;
    int value = 0, error_class, code, length;
    char text[MPI_MAX_ERROR_STRING];
    OK(MPI_Comm_get_errhandler(MPI_COMM_WORLD, &seen));
    CHECK(seen == MPI_ERRORS_ARE_FATAL);
    OK(MPI_Errhandler_free(&seen));
    OK(MPI_Comm_create_errhandler(note, &handler));
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    OK(MPI_Comm_set_errhandler(comm, handler));
    OK(MPI_Comm_get_errhandler(comm, &seen));
    CHECK(seen == handler);
    OK(MPI_Errhandler_free(&seen));
    /* Freed, it lives on as long as a communicator has it. */
    OK(MPI_Errhandler_free(&handler));
    CHECK(handler == MPI_ERRHANDLER_NULL);
    int returned = MPI_Send(&value, 1, MPI_INT, world_size + 3, 0, comm);
    EQ(calls, 1);
    CHECK(last_comm == comm);
    EQ(last_class, MPI_ERR_RANK);
    /* The error comes back as well. */
    CHECK(returned != MPI_SUCCESS);
    OK(MPI_Comm_dup(comm, &copy));
    MPI_Send(&value, -1, MPI_INT, 0, 0, copy);
    EQ(calls, 2);
    CHECK(last_comm == copy);
    EQ(last_class, MPI_ERR_COUNT);
    OK(MPI_Comm_call_errhandler(copy, MPI_ERR_OTHER));
    EQ(calls, 3);
    EQ(last_class, MPI_ERR_OTHER);
    OK(MPI_Comm_set_errhandler(copy, MPI_ERRORS_RETURN));
    FAILS(MPI_Send(&value, -1, MPI_INT, 0, 0, copy), MPI_ERR_COUNT);
    EQ(calls, 3);
    /* a class and a code of one's own */
    OK(MPI_Add_error_class(&error_class));
    CHECK(error_class > MPI_ERR_OTHER);
    OK(MPI_Add_error_code(error_class, &code));
    OK(MPI_Add_error_string(code, "the soup is cold"));
    OK(MPI_Error_string(code, text, &length));
    EQ_STR(text, "the soup is cold");
    EQ(length, 16);
    OK(MPI_Error_class(code, &value));
    EQ(value, error_class);
    int *last_used = NULL, flag = 0;
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_LASTUSEDCODE, &last_used, &flag));
    CHECK(flag && *last_used >= code);
    OK(MPI_Comm_call_errhandler(comm, code));
    EQ(last_class, error_class);
    /* every class of the standard has a text of its own */
    for (int c = MPI_SUCCESS; c <= MPI_ERR_WIN; c++) {
        text[0] = 0;
        OK(MPI_Error_string(c, text, &length));
        CHECK_MSG(length > 0 && length < MPI_MAX_ERROR_STRING && (int)strlen(text) == length, "text of class %d", c);
        OK(MPI_Error_class(c, &value));
        EQ(value, c);
    }
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_free(&copy));
    return finish();
}
