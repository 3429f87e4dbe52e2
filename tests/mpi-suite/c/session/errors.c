/* Errors of sessions, and of communicators that come from groups: which error handler hears of them (MPI 5.0 section
 * 9.3). */
#include "session.h"

static int heard;
static MPI_Session heard_on;
static int heard_class;

static void hear(MPI_Session *session, int *code, ...) {
    heard++;
    heard_on = *session;
    MPI_Error_class(*code, &heard_class);
}

static int comm_heard;
static MPI_Comm comm_heard_on;

static void hear_comm(MPI_Comm *comm, int *code, ...) {
    (void)code;
    comm_heard++;
    comm_heard_on = *comm;
}

static void handlers(void) {
    MPI_Errhandler mine, got;
    OK(MPI_Session_create_errhandler(hear, &mine));
    OK(MPI_Session_get_errhandler(own_session, &got));
    CHECK(got == MPI_ERRORS_RETURN);
    OK(MPI_Session_set_errhandler(own_session, mine));
    OK(MPI_Session_get_errhandler(own_session, &got));
    CHECK(got == mine);
    OK(MPI_Errhandler_free(&got));

    int length = 0;
    FAILS(MPI_Session_get_nth_pset(own_session, MPI_INFO_NULL, 1000, &length, NULL), MPI_ERR_ARG);
    EQ(heard, 1);
    CHECK(heard_on == own_session);
    EQ(heard_class, MPI_ERR_ARG);
    OK(MPI_Session_call_errhandler(own_session, MPI_ERR_NAME));
    EQ(heard, 2);
    EQ(heard_class, MPI_ERR_NAME);

    /* The handler given to a session that cannot be made. */
    MPI_Session session = MPI_SESSION_NULL;
    MPI_Info info;
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "thread_level", "MPI_THREAD_PLENTY"));
    FAILS(MPI_Session_init(info, mine, &session), MPI_ERR_INFO_VALUE);
    EQ(heard, 3);
    CHECK(heard_on == MPI_SESSION_NULL);
    FAILS(MPI_Session_init(info, MPI_ERRORS_RETURN, &session), MPI_ERR_INFO_VALUE);
    OK(MPI_Info_free(&info));
    OK(MPI_Errhandler_free(&mine));
    FAILS(MPI_Session_get_nth_pset(own_session, MPI_INFO_NULL, -1, &length, NULL), MPI_ERR_ARG);
    EQ(heard, 4);
    OK(MPI_Session_set_errhandler(own_session, MPI_ERRORS_RETURN));
}

static void arguments(void) {
    MPI_Info info;
    MPI_Group group;
    MPI_Errhandler of_comm;
    int size = sizeof(int);
    FAILS(MPI_Session_get_pset_info(own_session, "hpvm://nobody", &info), MPI_ERR_ARG);
    FAILS(MPI_Session_get_pset_info(own_session, NULL, &info), MPI_ERR_ARG);
    FAILS(MPI_Group_from_session_pset(own_session, "mpi://SELF", NULL), MPI_ERR_ARG);
    FAILS(MPI_Session_set_errhandler(own_session, MPI_ERRHANDLER_NULL), MPI_ERR_ERRHANDLER);
    OK(MPI_Comm_create_errhandler(hear_comm, &of_comm));
    FAILS(MPI_Session_set_errhandler(own_session, of_comm), MPI_ERR_ERRHANDLER);

    /* The handler given to a communicator that cannot be made. */
    MPI_Comm comm = MPI_COMM_NULL;
    OK(MPI_Group_from_session_pset(own_session, "mpi://SELF", &group));
    FAILS(MPI_Comm_create_from_group(MPI_GROUP_NULL, "tag", MPI_INFO_NULL, of_comm, &comm), MPI_ERR_GROUP);
    EQ(comm_heard, 1);
    CHECK(comm_heard_on == MPI_COMM_NULL);
    FAILS(MPI_Comm_create_from_group(group, NULL, MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_ARG);
    char *text = (char *)get_memory(MPI_MAX_STRINGTAG_LEN + 1);
    memset(text, 'x', MPI_MAX_STRINGTAG_LEN);
    text[MPI_MAX_STRINGTAG_LEN] = 0;
    FAILS(MPI_Comm_create_from_group(group, text, MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_ARG);
    text[MPI_MAX_STRINGTAG_LEN - 1] = 0;
    OK(MPI_Comm_create_from_group(group, text, MPI_INFO_NULL, of_comm, &comm));
    /* It is the communicator's own from now on. */
    FAILS(MPI_Send(&size, 1, MPI_INT, 7, 0, comm), MPI_ERR_RANK);
    EQ(comm_heard, 2);
    CHECK(comm_heard_on == comm);
    OK(MPI_Comm_free(&comm));
    free(text);
    FAILS(MPI_Intercomm_create_from_groups(group, 1, group, 0, "i", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_RANK);
    FAILS(MPI_Intercomm_create_from_groups(group, 0, group, -1, "i", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_RANK);
    OK(MPI_Group_free(&group));
    OK(MPI_Errhandler_free(&of_comm));
}

/* What the members see of each other. */
static void members(void) {
    MPI_Group all, mine;
    MPI_Comm comm;
    int me[1] = {world_rank}, first[1] = {0};
    OK(MPI_Comm_group(everyone, &all));
    if (world_rank > 0) {
        OK(MPI_Group_incl(all, 1, first, &mine));
        FAILS(MPI_Comm_create_from_group(mine, "not mine", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_GROUP);
        OK(MPI_Group_free(&mine));
    }
    if (world_size > 1 && world_rank < 2) {
        /* The same processes in another order. */
        int order[2] = {world_rank, 1 - world_rank};
        OK(MPI_Group_incl(all, 2, order, &mine));
        FAILS(MPI_Comm_create_from_group(mine, "order", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm), MPI_ERR_GROUP);
        OK(MPI_Group_free(&mine));
        /* A process on both sides. */
        int both[2] = {0, 1}, other[1] = {1 - world_rank};
        MPI_Group local, remote;
        OK(MPI_Group_incl(all, 1, me, &local));
        OK(MPI_Group_incl(all, 1, other, &remote));
        OK(MPI_Intercomm_create_from_groups(local, 0, remote, 0, "both", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
        OK(MPI_Comm_free(&comm));
        OK(MPI_Group_free(&local));
        OK(MPI_Group_incl(all, 2, both, &local));
        if (world_rank == 0)
            FAILS(MPI_Intercomm_create_from_groups(remote, 0, local, 0, "in", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm),
                  MPI_ERR_GROUP);
        OK(MPI_Group_free(&local));
        OK(MPI_Group_free(&remote));
    }
    OK(MPI_Group_free(&all));
}

int main(void) {
    begin_session("MPI_THREAD_SINGLE");
    handlers();
    arguments();
    members();
    return finish_session();
}
