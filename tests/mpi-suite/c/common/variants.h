/* One collective, called in each of its forms: blocking, nonblocking and waited for, nonblocking and tested,
 * persistent. The form comes from the first argument of the program. */
#ifndef VARIANTS_H
#define VARIANTS_H

#include "check.h"

enum variant { BLOCKING, WAITED, TESTED, PERSISTENT };
static enum variant variant CHECK_UNUSED = BLOCKING;

static CHECK_UNUSED void choose_variant(int argc, char **argv) {
    static const char *const names[] = {"blocking", "waited", "tested", "persistent"};
    if (argc < 2)
        return;
    for (int i = 0; i < 4; i++)
        if (strcmp(argv[1], names[i]) == 0) {
            variant = (enum variant)i;
            return;
        }
    CHECK_FAILED("no variant \"%s\"", argv[1]);
}

/* RUN(allreduce, Allreduce, in, out, count, type, op, comm) */
#define RUN(small, Capital, ...)                                                             \
    do {                                                                                     \
        MPI_Request run_request = MPI_REQUEST_NULL;                                          \
        int run_flag = 0;                                                                    \
        switch (variant) {                                                                   \
        case BLOCKING: OK(MPI_##Capital(__VA_ARGS__)); break;                                \
        case WAITED:                                                                         \
            OK(MPI_I##small(__VA_ARGS__, &run_request));                                     \
            OK(MPI_Wait(&run_request, MPI_STATUS_IGNORE));                                   \
            break;                                                                           \
        case TESTED:                                                                         \
            OK(MPI_I##small(__VA_ARGS__, &run_request));                                     \
            while (!run_flag)                                                                \
                OK(MPI_Test(&run_request, &run_flag, MPI_STATUS_IGNORE));                    \
            break;                                                                           \
        case PERSISTENT:                                                                     \
            OK(MPI_##Capital##_init(__VA_ARGS__, MPI_INFO_NULL, &run_request));              \
            OK(MPI_Start(&run_request));                                                     \
            OK(MPI_Wait(&run_request, MPI_STATUS_IGNORE));                                   \
            OK(MPI_Request_free(&run_request));                                              \
            break;                                                                           \
        }                                                                                    \
        CHECK(run_request == MPI_REQUEST_NULL);                                              \
    } while (0)

#endif
