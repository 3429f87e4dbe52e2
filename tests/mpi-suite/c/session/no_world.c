/* MPI_COMM_WORLD belongs to the World Model; with a session alone its use is an error, which the initial error handler
 * makes fatal (MPI 5.0 sections 9.3 and 11.3). */
#include "session.h"

int main(void) {
    open_session("MPI_THREAD_SINGLE");
    MPI_Barrier(MPI_COMM_WORLD);
    return 0;
}
