/* Pack and unpack, mixed with typed sends of MPI_PACKED; the external representation is big-endian and of fixed sizes
 * (MPI 5.0 sections 5.2, 5.3). */
#include "check.h"

enum { ROOM = 4000 };

int main(int argc, char **argv) {
    begin(&argc, &argv);
    char *buffer = get_memory(ROOM);
    int position = 0, n = 5 + world_rank, numbers[40], size = 0, more = 0;
    double reals[40];
    MPI_Status status;
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int i = 0; i < 40; i++) {
        numbers[i] = world_rank * 100 + i;
        reals[i] = world_rank + i / 4.0;
    }
    MPI_Datatype odd;
    OK(MPI_Type_vector(5, 1, 2, MPI_INT, &odd));
    OK(MPI_Type_commit(&odd));
    OK(MPI_Pack_size(1, MPI_INT, MPI_COMM_WORLD, &size));
    OK(MPI_Pack_size(n, MPI_DOUBLE, MPI_COMM_WORLD, &more));
    CHECK(size >= (int)sizeof(int) && more >= n * (int)sizeof(double));
    OK(MPI_Pack(&n, 1, MPI_INT, buffer, ROOM, &position, MPI_COMM_WORLD));
    OK(MPI_Pack(reals, n, MPI_DOUBLE, buffer, ROOM, &position, MPI_COMM_WORLD));
    OK(MPI_Pack(numbers, 1, odd, buffer, ROOM, &position, MPI_COMM_WORLD));
    OK(MPI_Sendrecv_replace(buffer, ROOM, MPI_PACKED, right, 1, left, 1, MPI_COMM_WORLD, &status));
    position = 0;
    memset(reals, 0, sizeof reals);
    memset(numbers, 0xFF, sizeof numbers);
    OK(MPI_Unpack(buffer, ROOM, &position, &n, 1, MPI_INT, MPI_COMM_WORLD));
    EQ(n, 5 + left);
    OK(MPI_Unpack(buffer, ROOM, &position, reals, n, MPI_DOUBLE, MPI_COMM_WORLD));
    for (int i = 0; i < n; i++)
        CHECK(reals[i] == left + i / 4.0);
    OK(MPI_Unpack(buffer, ROOM, &position, numbers, 1, odd, MPI_COMM_WORLD));
    for (int i = 0; i < 10; i++)
        EQ(numbers[i], i % 2 || i > 8 ? -1 : left * 100 + i);
    /* what was packed may be received as what it is */
    position = 0;
    OK(MPI_Pack(reals, 4, MPI_DOUBLE, buffer, ROOM, &position, MPI_COMM_WORLD));
    double direct[4] = {0};
    OK(MPI_Sendrecv(buffer, position, MPI_PACKED, world_rank, 2, direct, 4, MPI_DOUBLE, world_rank, 2, MPI_COMM_WORLD,
                    &status));
    CHECK(direct[3] == reals[3]);
    /* external32 */
    MPI_Aint at = 0, external = 0;
    int value = 0x01020304;
    OK(MPI_Pack_external_size("external32", 1, MPI_INT, &external));
    EQ(external, 4);
    OK(MPI_Pack_external("external32", &value, 1, MPI_INT, buffer, ROOM, &at));
    EQ(at, 4);
    for (int i = 0; i < 4; i++)
        EQ(buffer[i], i + 1);
    at = 0;
    value = 0;
    OK(MPI_Unpack_external("external32", buffer, ROOM, &at, &value, 1, MPI_INT));
    EQ(value, 0x01020304);
    OK(MPI_Type_free(&odd));
    free(buffer);
    return finish();
}
