/* What may be asked before MPI_Init and after MPI_Finalize, and what MPI_Init_thread answers (MPI 5.0 section 11.2).
 * The first argument is the level to ask for. */
#include "check.h"

static int deleted;

static int on_delete(MPI_Comm comm, int keyval, void *value, void *extra) {
    int finalized = -1, size = 0;
    (void)keyval, (void)value, (void)extra;
    /* MPI still works here: the attributes of MPI_COMM_SELF go first (section 11.2.4). */
    MPI_Finalized(&finalized);
    MPI_Comm_size(comm, &size);
    deleted = finalized == 0 && size == 1 ? 1 : -1;
    return MPI_SUCCESS;
}

static int level_of(const char *name) {
    if (strcmp(name, "single") == 0)
        return MPI_THREAD_SINGLE;
    if (strcmp(name, "funneled") == 0)
        return MPI_THREAD_FUNNELED;
    if (strcmp(name, "serialized") == 0)
        return MPI_THREAD_SERIALIZED;
    return MPI_THREAD_MULTIPLE;
}

int main(int argc, char **argv) {
    int flag = -1, version = 0, subversion = -1, length = 0, provided = -1, queried = -2, main_thread = 0;
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    OK(MPI_Initialized(&flag));
    EQ(flag, 0);
    OK(MPI_Finalized(&flag));
    EQ(flag, 0);
    OK(MPI_Get_version(&version, &subversion));
    EQ(version, MPI_VERSION);
    EQ(subversion, MPI_SUBVERSION);
    OK(MPI_Get_library_version(text, &length));
    CHECK(length > 0 && length == (int)strlen(text));
    int wanted = level_of(argc > 1 ? argv[1] : "multiple");
    CHECK(MPI_THREAD_SINGLE < MPI_THREAD_FUNNELED && MPI_THREAD_FUNNELED < MPI_THREAD_SERIALIZED);
    CHECK(MPI_THREAD_SERIALIZED < MPI_THREAD_MULTIPLE);
    char *program = argv[0], *argument = argv[1];
    OK(MPI_Init_thread(&argc, &argv, wanted, &provided));
    begin_rest();
    CHECK(provided >= wanted);
    CHECK(argv[0] == program && argv[1] == argument);
    OK(MPI_Query_thread(&queried));
    EQ(queried, provided);
    OK(MPI_Is_thread_main(&main_thread));
    CHECK(main_thread);
    OK(MPI_Initialized(&flag));
    CHECK(flag);
    char name[MPI_MAX_PROCESSOR_NAME];
    OK(MPI_Get_processor_name(name, &length));
    CHECK(length > 0 && length == (int)strlen(name));
    int keyval;
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, on_delete, &keyval, NULL));
    OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &flag));
    int total = -1;
    OK(MPI_Allreduce(&check_errors, &total, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD));
    OK(MPI_Finalize());
    EQ(deleted, 1);
    OK(MPI_Initialized(&flag));
    CHECK(flag);
    OK(MPI_Finalized(&flag));
    CHECK(flag);
    OK(MPI_Get_version(&version, &subversion));
    EQ(version, MPI_VERSION);
    /* Nothing can be summed any more: every rank answers for itself, rank 0 for all before. */
    if (world_rank == 0 && total + check_errors == 0)
        printf("No Errors\n");
    return check_errors != 0;
}
