/* A program of sessions alone: process sets, groups, communicators, and sessions again after the last one has ended
 * (MPI 5.0 section 11.3). */
#include "session.h"

static void process_sets(void) {
    int count = 0, seen_world = 0, seen_self = 0;
    OK(MPI_Session_get_num_psets(own_session, MPI_INFO_NULL, &count));
    CHECK(count >= 2);
    for (int i = 0; i < count; i++) {
        char name[MPI_MAX_PSET_NAME_LEN] = "untouched", value[32] = "";
        int length = 0, flag = 0, room = sizeof value, size = -1;
        OK(MPI_Session_get_nth_pset(own_session, MPI_INFO_NULL, i, &length, name));
        EQ_STR(name, "untouched");
        CHECK(length > 1);
        int whole = length;
        length = 4;
        OK(MPI_Session_get_nth_pset(own_session, MPI_INFO_NULL, i, &length, name));
        EQ(length, whole);
        EQ(strlen(name), 3);
        length = sizeof name;
        OK(MPI_Session_get_nth_pset(own_session, MPI_INFO_NULL, i, &length, name));
        EQ(length, strlen(name) + 1);

        MPI_Info info;
        OK(MPI_Session_get_pset_info(own_session, name, &info));
        OK(MPI_Info_get_string(info, "mpi_size", &room, value, &flag));
        CHECK(flag);
        OK(MPI_Info_free(&info));
        MPI_Group group;
        OK(MPI_Group_from_session_pset(own_session, name, &group));
        OK(MPI_Group_size(group, &size));
        EQ(atoi(value), size);
        OK(MPI_Group_free(&group));
        if (strcmp(name, "mpi://WORLD") == 0 && ++seen_world)
            EQ(size, world_size);
        if (strcmp(name, "mpi://SELF") == 0 && ++seen_self)
            EQ(size, 1);
    }
    EQ(seen_world, 1);
    EQ(seen_self, 1);
    MPI_Group group = MPI_GROUP_EMPTY;
    FAILS(MPI_Group_from_session_pset(own_session, "hpvm://nobody", &group), MPI_ERR_ARG);
    CHECK(group == MPI_GROUP_NULL);
}

/* Communicators of all processes, of some, of one, of none. */
static void communicators(void) {
    int sum = 0, size = -1, *tag_ub, flag = 0;
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, everyone));
    EQ(sum, world_size * (world_size - 1) / 2);
    OK(MPI_Comm_get_attr(everyone, MPI_TAG_UB, &tag_ub, &flag));
    CHECK(flag && *tag_ub >= 32767);

    MPI_Comm self = comm_of(own_session, "mpi://self", "self");
    OK(MPI_Comm_size(self, &size));
    EQ(size, 1);
    OK(MPI_Barrier(self));
    OK(MPI_Comm_free(&self));

    MPI_Group all, odd;
    int range[1][3] = {{1, world_size - 1, 2}};
    MPI_Comm comm = MPI_COMM_NULL, dup, half;
    OK(MPI_Comm_group(everyone, &all));
    if (world_size > 1)
        OK(MPI_Group_range_incl(all, 1, range, &odd));
    else
        odd = MPI_GROUP_EMPTY;
    if (world_rank % 2 == 1) {
        int rank = -1;
        OK(MPI_Comm_create_from_group(odd, "odd", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
        OK(MPI_Comm_rank(comm, &rank));
        EQ(rank, world_rank / 2);
        OK(MPI_Comm_dup(comm, &dup));
        OK(MPI_Comm_split(dup, rank < 1, 0, &half));
        OK(MPI_Barrier(half));
        OK(MPI_Comm_free(&half));
        OK(MPI_Comm_free(&dup));
        OK(MPI_Comm_free(&comm));
    }
    OK(MPI_Comm_create_from_group(MPI_GROUP_EMPTY, "nobody", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
    CHECK(comm == MPI_COMM_NULL);
    if (odd != MPI_GROUP_EMPTY)
        OK(MPI_Group_free(&odd));
    OK(MPI_Group_free(&all));
}

/* The given order is the order of ranks; equal string tags one after another; hints and error handler are kept. */
static void order(void) {
    int ranks[64];
    MPI_Group all, reversed;
    OK(MPI_Comm_group(everyone, &all));
    for (int i = 0; i < world_size; i++)
        ranks[i] = world_size - 1 - i;
    OK(MPI_Group_incl(all, world_size, ranks, &reversed));
    for (int round = 0; round < 3; round++) {
        MPI_Comm comm;
        MPI_Info info, used;
        MPI_Errhandler errhandler;
        char value[32] = "";
        int rank = -1, flag = 0, room = sizeof value;
        OK(MPI_Info_create(&info));
        OK(MPI_Info_set(info, "colour", "green"));
        OK(MPI_Comm_create_from_group(round == 1 ? all : reversed, "order", info, MPI_ERRORS_RETURN, &comm));
        OK(MPI_Info_free(&info));
        OK(MPI_Comm_rank(comm, &rank));
        EQ(rank, round == 1 ? world_rank : world_size - 1 - world_rank);
        OK(MPI_Comm_get_info(comm, &used));
        OK(MPI_Info_get_string(used, "colour", &room, value, &flag));
        EQ_STR(value, "green");
        OK(MPI_Info_free(&used));
        OK(MPI_Comm_get_errhandler(comm, &errhandler));
        CHECK(errhandler == MPI_ERRORS_RETURN);
        OK(MPI_Comm_free(&comm));
    }
    OK(MPI_Group_free(&reversed));
    OK(MPI_Group_free(&all));
}

int main(void) {
    int total = 0;
    for (int round = 0; round < 3; round++) {
        int flag = 1;
        begin_session("MPI_THREAD_FUNNELED");
        OK(MPI_Initialized(&flag));
        EQ(flag, 0);
        OK(MPI_Finalized(&flag));
        EQ(flag, 0);
        thread_level(own_session, "MPI_THREAD_FUNNELED");
        MPI_Session second;
        OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &second));
        CHECK(second != own_session);
        EQ(MPI_Session_toint(MPI_Session_fromint(MPI_Session_toint(second))), MPI_Session_toint(second));
        CHECK(MPI_Session_f2c(MPI_Session_c2f(second)) == second);
        CHECK(MPI_Session_f2c(MPI_Session_c2f(MPI_SESSION_NULL)) == MPI_SESSION_NULL);
        process_sets();
        communicators();
        order();
        if (round == 1) {
            OK(MPI_Session_finalize(&second));
            CHECK(second == MPI_SESSION_NULL);
        }
        int send = world_rank + 10 * round, got = -1;
        OK(MPI_Sendrecv(&send, 1, MPI_INT, (world_rank + 1) % world_size, 3, &got, 1, MPI_INT,
                        (world_rank + world_size - 1) % world_size, 3, everyone, MPI_STATUS_IGNORE));
        EQ(got, (world_rank + world_size - 1) % world_size + 10 * round);
        total += check_errors;
        if (round < 2) {
            OK(MPI_Comm_free(&everyone));
            OK(MPI_Session_finalize(&own_session));
        }
        if (round != 1)
            OK(MPI_Session_finalize(&second));
    }
    return finish_session() || total;
}
