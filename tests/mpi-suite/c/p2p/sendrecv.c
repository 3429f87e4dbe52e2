/* Sendrecv and sendrecv_replace around a ring, with self, with nobody, with derived types (MPI 5.0 section 3.11). */
#include "check.h"

static const int sizes[] = {0, 1, 10, 1000, 9000, 70000, 600000};
enum { SIZES = sizeof sizes / sizeof *sizes, LARGEST = 600000 };

static void ring(int n, unsigned char *out, unsigned char *in) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    MPI_Status status;
    fill_pattern(out, (size_t)n, (unsigned)world_rank);
    OK(MPI_Sendrecv(out, n, MPI_BYTE, right, n % 32, in, n, MPI_BYTE, left, n % 32, MPI_COMM_WORLD, &status));
    CHECK_PATTERN(in, (size_t)n, left);
    EQ(status.MPI_SOURCE, left);
    /* different tags, wildcard source */
    OK(MPI_Sendrecv(out, n, MPI_BYTE, left, 40, in, n, MPI_BYTE, MPI_ANY_SOURCE, 40, MPI_COMM_WORLD, &status));
    CHECK_PATTERN(in, (size_t)n, right);
    OK(MPI_Sendrecv_replace(out, n, MPI_BYTE, right, 41, left, 41, MPI_COMM_WORLD, &status));
    CHECK_PATTERN(out, (size_t)n, left);
    /* shorter than the buffer */
    fill_pattern(in, (size_t)n, (unsigned)world_rank);
    int count = -1, shorter = n / 2;
    OK(MPI_Sendrecv(in, shorter, MPI_BYTE, right, 42, out, n, MPI_BYTE, left, 42, MPI_COMM_WORLD, &status));
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, shorter);
    CHECK_PATTERN(out, (size_t)shorter, left);
}

static void alone(int n, unsigned char *out, unsigned char *in) {
    MPI_Status status;
    fill_pattern(out, (size_t)n, 77);
    memset(in, 1, (size_t)n);
    OK(MPI_Sendrecv(out, n, MPI_BYTE, world_rank, 1, in, n, MPI_BYTE, world_rank, 1, MPI_COMM_WORLD, &status));
    CHECK_PATTERN(in, (size_t)n, 77);
    OK(MPI_Sendrecv_replace(in, n, MPI_BYTE, world_rank, 2, world_rank, 2, MPI_COMM_WORLD, &status));
    CHECK_PATTERN(in, (size_t)n, 77);
    OK(MPI_Sendrecv_replace(in, n, MPI_BYTE, MPI_PROC_NULL, 3, MPI_PROC_NULL, 3, MPI_COMM_WORLD, &status));
    EQ(status.MPI_SOURCE, MPI_PROC_NULL);
    CHECK_PATTERN(in, (size_t)n, 77);
}

/* Every second element moves, those between stay. */
static void replace_strided(int n) {
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    int *data = get_memory(2 * (size_t)n * sizeof(int));
    MPI_Datatype strided;
    OK(MPI_Type_vector(n, 1, 2, MPI_INT, &strided));
    OK(MPI_Type_commit(&strided));
    for (int i = 0; i < 2 * n; i++)
        data[i] = world_rank * 10000000 + i;
    OK(MPI_Sendrecv_replace(data, 1, strided, right, 5, left, 5, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    for (int i = 0; i < 2 * n; i++) {
        int owner = i % 2 ? world_rank : left;
        if (data[i] != owner * 10000000 + i) {
            CHECK_FAILED("strided exchange of %d: wrong at %d", n, i);
            break;
        }
    }
    OK(MPI_Type_free(&strided));
    free(data);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    unsigned char *out = get_memory(LARGEST), *in = get_memory(LARGEST);
    for (int k = 0; k < SIZES; k++) {
        ring(sizes[k], out, in);
        alone(sizes[k], out, in);
        if (sizes[k] > 0)
            replace_strided(sizes[k] / 4 + 1);
    }
    free(out);
    free(in);
    return finish();
}
