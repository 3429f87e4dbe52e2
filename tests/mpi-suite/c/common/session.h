/* For programs without the World Model: a session in place of MPI_Init, a communicator of all processes in place of
 * MPI_COMM_WORLD. */
#ifndef SESSION_H
#define SESSION_H

#include "check.h"

static MPI_Session own_session CHECK_UNUSED;
static MPI_Comm everyone CHECK_UNUSED;

/* A session with this thread level. */
static CHECK_UNUSED MPI_Session open_session(const char *level) {
    MPI_Session session = MPI_SESSION_NULL;
    MPI_Info info;
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "thread_level", level));
    OK(MPI_Session_init(info, MPI_ERRORS_RETURN, &session));
    OK(MPI_Info_free(&info));
    CHECK(session != MPI_SESSION_NULL);
    return session;
}

/* What the session says it provides. */
static CHECK_UNUSED void thread_level(MPI_Session session, const char *wanted) {
    MPI_Info info;
    char value[64] = "";
    int flag = 0, room = sizeof value;
    OK(MPI_Session_get_info(session, &info));
    OK(MPI_Info_get_string(info, "thread_level", &room, value, &flag));
    CHECK(flag);
    EQ_STR(value, wanted);
    OK(MPI_Info_free(&info));
}

/* A communicator of a session's process set. */
static CHECK_UNUSED MPI_Comm comm_of(MPI_Session session, const char *set, const char *stringtag) {
    MPI_Group group = MPI_GROUP_NULL;
    MPI_Comm comm = MPI_COMM_NULL;
    OK(MPI_Group_from_session_pset(session, set, &group));
    OK(MPI_Comm_create_from_group(group, stringtag, MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
    OK(MPI_Group_free(&group));
    CHECK(comm != MPI_COMM_NULL);
    return comm;
}

static CHECK_UNUSED void begin_session(const char *level) {
    own_session = open_session(level);
    everyone = comm_of(own_session, "mpi://WORLD", "everyone");
    MPI_Comm_rank(everyone, &world_rank);
    MPI_Comm_size(everyone, &world_size);
}

/* As `finish`, and the session ends. */
static CHECK_UNUSED int finish_session(void) {
    int total = 0;
    MPI_Allreduce(&check_errors, &total, 1, MPI_INT, MPI_SUM, everyone);
    MPI_Comm_free(&everyone);
    if (MPI_Session_finalize(&own_session) != MPI_SUCCESS || own_session != MPI_SESSION_NULL)
        total++;
    if (world_rank == 0) {
        if (total == 0)
            printf("No Errors\n");
        else
            printf("Found %d errors\n", total);
        fflush(stdout);
    }
    return total != 0;
}

#endif
