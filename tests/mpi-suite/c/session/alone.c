/* The end of a session waits for nobody when its communicators are freed, and its beginning never does: some processes
 * come and go while others have not begun (MPI 5.0 section 11.3.1). */
#include "session.h"

int main(void) {
    /* Only known once there is a session. */
    MPI_Session first = open_session("MPI_THREAD_SINGLE");
    MPI_Group world;
    int rank = -1, size = 0;
    OK(MPI_Group_from_session_pset(first, "mpi://WORLD", &world));
    OK(MPI_Group_rank(world, &rank));
    OK(MPI_Group_size(world, &size));
    OK(MPI_Group_free(&world));
    OK(MPI_Session_finalize(&first));

    /* More rounds for lower ranks, with nobody else's help. */
    for (int round = 0; round < 50 * (size - rank); round++) {
        MPI_Session session = open_session("MPI_THREAD_SINGLE");
        MPI_Comm self = comm_of(session, "mpi://SELF", "self");
        int out = round, in = -1;
        OK(MPI_Sendrecv(&out, 1, MPI_INT, 0, 0, &in, 1, MPI_INT, 0, 0, self, MPI_STATUS_IGNORE));
        EQ(in, round);
        OK(MPI_Comm_free(&self));
        OK(MPI_Session_finalize(&session));
    }

    /* A message that is sent in one session may be on its way when that ends; pairs of neighbours meet alone. */
    MPI_Session session = open_session("MPI_THREAD_SINGLE");
    int pair[2] = {rank - rank % 2, rank - rank % 2 + 1};
    if (pair[1] < size) {
        MPI_Group group;
        MPI_Comm comm;
        int out[1000], in[1000];
        OK(MPI_Group_from_session_pset(session, "mpi://WORLD", &world));
        OK(MPI_Group_incl(world, 2, pair, &group));
        OK(MPI_Comm_create_from_group(group, "pair", MPI_INFO_NULL, MPI_ERRORS_RETURN, &comm));
        for (int i = 0; i < 1000; i++)
            out[i] = i + pair[0];
        if (rank == pair[0]) {
            OK(MPI_Send(out, 1000, MPI_INT, 1, 5, comm));
        } else {
            OK(MPI_Recv(in, 1000, MPI_INT, 0, 5, comm, MPI_STATUS_IGNORE));
            EQ(memcmp(in, out, sizeof in), 0);
        }
        OK(MPI_Comm_free(&comm));
        OK(MPI_Group_free(&group));
        OK(MPI_Group_free(&world));
    }
    OK(MPI_Session_finalize(&session));

    begin_session("MPI_THREAD_SINGLE");
    return finish_session();
}
