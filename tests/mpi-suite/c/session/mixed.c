/* The World Model beside sessions that begin before it and end after it (MPI 5.0 section 11.1). */
#include "session.h"

static void flags(int initialized, int finalized) {
    int flag = -1;
    OK(MPI_Initialized(&flag));
    EQ(flag, initialized);
    OK(MPI_Finalized(&flag));
    EQ(flag, finalized);
}

static void talk(MPI_Comm comm) {
    int sum = 0;
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, comm));
    EQ(sum, world_size * (world_size - 1) / 2);
}

int main(int argc, char **argv) {
    flags(0, 0);
    begin_session("MPI_THREAD_MULTIPLE");
    talk(everyone);
    flags(0, 0);

    int provided = -1, level = -1, main_thread = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    EQ(provided, MPI_THREAD_FUNNELED);
    OK(MPI_Query_thread(&level));
    EQ(level, MPI_THREAD_FUNNELED);
    OK(MPI_Is_thread_main(&main_thread));
    EQ(main_thread, 1);
    flags(1, 0);
    talk(MPI_COMM_WORLD);

    int result = -1;
    OK(MPI_Comm_compare(everyone, MPI_COMM_WORLD, &result));
    EQ(result, MPI_CONGRUENT);

    /* Groups of the World Model make communicators, too. */
    MPI_Group world;
    MPI_Comm comm;
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    OK(MPI_Comm_create_from_group(world, "world", MPI_INFO_NULL, MPI_ERRORS_ARE_FATAL, &comm));
    OK(MPI_Group_free(&world));
    talk(comm);
    OK(MPI_Comm_free(&comm));

    MPI_Session inner;
    OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &inner));
    OK(MPI_Session_finalize(&inner));
    OK(MPI_Finalize());
    flags(1, 1);
    talk(everyone);
    OK(MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &inner));
    OK(MPI_Session_finalize(&inner));

    OK(MPI_Comm_free(&everyone));
    OK(MPI_Session_finalize(&own_session));
    flags(1, 1);
    begin_session("MPI_THREAD_SINGLE");
    talk(everyone);
    return finish_session();
}
