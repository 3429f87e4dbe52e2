/* What `cargo xtask tune` runs: one operation at several lengths, in microseconds each, as the slowest rank sees it.
 *
 *   tune OPERATION BYTES…   pingpong, window, or a collective of collectives.h; `bytes` is the message or the block of one rank
 *   tune values             the control variables of MPI_T instead, one in a line: name and value
 */
#include "collectives.h"

enum { WINDOW = 16, BATCHES_TUNE = 5 };
static const double SECONDS = 0.003, SECONDS_CROWDED = 0.01;

/* Half a round trip. */
static void pingpong(size_t bytes, int root) {
    (void)root;
    if (rank == 0) {
        MPI_Send(out, (int)bytes, MPI_CHAR, 1, 1, MPI_COMM_WORLD);
        MPI_Recv(in, (int)bytes, MPI_CHAR, 1, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    } else if (rank == 1) {
        MPI_Recv(in, (int)bytes, MPI_CHAR, 0, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(out, (int)bytes, MPI_CHAR, 0, 1, MPI_COMM_WORLD);
    }
}

/* Several messages at once, and an answer. */
static void window(size_t bytes, int root) {
    MPI_Request requests[WINDOW];
    (void)root;
    if (rank > 1)
        return;
    for (int i = 0; i < WINDOW; i++)
        if (rank == 0)
            MPI_Isend(out, (int)bytes, MPI_CHAR, 1, 2, MPI_COMM_WORLD, &requests[i]);
        else
            MPI_Irecv(in, (int)bytes, MPI_CHAR, 0, 2, MPI_COMM_WORLD, &requests[i]);
    MPI_Waitall(WINDOW, requests, MPI_STATUSES_IGNORE);
    if (rank == 0)
        MPI_Recv(NULL, 0, MPI_CHAR, 1, 3, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else
        MPI_Send(NULL, 0, MPI_CHAR, 0, 3, MPI_COMM_WORLD);
}

static const struct collective MESSAGES[] = {{"pingpong", pingpong}, {"window", window}};

static double batch(size_t bytes, int n) {
    MPI_Barrier(MPI_COMM_WORLD);
    double start = MPI_Wtime();
    in_a_row(bytes, n);
    return MPI_Wtime() - start;
}

/* As `seconds_each`, and shorter: what is wanted is which of two ways is quicker, and both are measured many times. The second best of five batches:
 * what else happens on the machine only ever adds. */
static double seconds(size_t bytes) {
    double wanted = crowded ? SECONDS_CROWDED : SECONDS, took, each[BATCHES_TUNE], slowest = 0;
    int n = 1;
    for (;;) {
        took = batch(bytes, n);
        MPI_Bcast(&took, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
        if (took > wanted / 2 || n > 1 << 20)
            break;
        n *= 2;
    }
    n = (int)(n * wanted / took) + 1;
    for (int i = 0; i < BATCHES_TUNE; i++)
        each[i] = batch(bytes, n) / n;
    qsort(each, BATCHES_TUNE, sizeof *each, by_value);
    MPI_Allreduce(&each[1], &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    return slowest;
}

static void values(void) {
    int provided, num, count, length;
    MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);
    MPI_T_cvar_get_num(&num);
    for (int i = 0; i < num; i++) {
        char name[200];
        MPI_Datatype type;
        MPI_T_cvar_handle handle;
        MPI_Count value = 0;
        length = sizeof name;
        MPI_T_cvar_get_info(i, name, &length, NULL, &type, NULL, NULL, NULL, NULL, NULL);
        if (type != MPI_COUNT)
            continue;
        MPI_T_cvar_handle_alloc(i, NULL, &handle, &count);
        MPI_T_cvar_read(handle, &value);
        MPI_T_cvar_handle_free(&handle);
        if (rank == 0)
            printf("%s %lld\n", name, (long long)value);
    }
    MPI_T_finalize();
}

static const struct collective *find(const char *name) {
    for (int i = 0; i < 2; i++)
        if (strcmp(name, MESSAGES[i].name) == 0)
            return &MESSAGES[i];
    for (int i = 0; i < COLLECTIVES; i++)
        if (strcmp(name, ALL[i].name) == 0)
            return &ALL[i];
    return NULL;
}

int main(int argc, char **argv) {
    size_t largest = 8;
    begin(&argc, &argv);
    if (argc == 2 && strcmp(argv[1], "values") == 0) {
        values();
        MPI_Finalize();
        return 0;
    }
    current = argc > 2 ? find(argv[1]) : NULL;
    if (current == NULL) {
        fprintf(stderr, "usage: tune OPERATION BYTES... | tune values\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    for (int i = 2; i < argc; i++)
        if ((size_t)atoll(argv[i]) > largest)
            largest = (size_t)atoll(argv[i]);
    buffers(largest);
    for (int i = 2; i < argc; i++) {
        size_t bytes = (size_t)atoll(argv[i]);
        for (int r = 0; r < ranks; r++)
            counts[r] = doubles(bytes);
        cell(current->name, bytes, "us", seconds(bytes) * 1e6);
    }
    MPI_Finalize();
    return 0;
}
