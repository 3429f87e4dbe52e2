/* Talks round a ring until it is killed; the rounds of src/kill.rs end it. Argument: "plain"; "fork": with a child of
 * its own that would live for long; "setsid": with a child in a session of its own; "late": says nothing for two seconds. */
#include "check.h"

#include <unistd.h>

static void child(int own_session) {
    if (fork() != 0)
        return;
    if (own_session)
        setsid();
    /* Ignores what a terminal would send, and lives on when its parent does not. */
    execlp("sleep", "sleep", "600", (char *)NULL);
    _exit(127);
}

int main(int argc, char **argv) {
    const char *how = argc > 1 ? argv[1] : "plain";
    begin(&argc, &argv);
    if (strcmp(how, "fork") == 0 || strcmp(how, "setsid") == 0)
        child(strcmp(how, "setsid") == 0);
    if (strcmp(how, "late") == 0)
        sleep(2);
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    static char out[70000], in[70000];
    for (;;)
        for (int n = 1; n < 70000; n = n * 5 + 3)
            MPI_Sendrecv(out, n, MPI_BYTE, right, 0, in, n, MPI_BYTE, left, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}
