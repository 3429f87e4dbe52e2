/* Every predefined type of C travels: alone, in numbers that cross packets, between all neighbours. */
#include "check.h"

static const char *name_of(MPI_Datatype type) {
    static char name[MPI_MAX_OBJECT_NAME];
    int length;
    OK(MPI_Type_get_name(type, name, &length));
    return name;
}

static void travels(MPI_Datatype type, size_t size) {
    static const int counts[] = {1, 3, 100, 7000};
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size, seen = -1;
    OK(MPI_Type_size(type, &seen));
    CHECK_MSG((size_t)seen == size, "%s has size %d, expected %zu", name_of(type), seen, size);
    unsigned char *out = get_memory(7000 * size), *in = get_memory(7000 * size);
    for (int c = 0; c < 4; c++) {
        MPI_Status status;
        size_t bytes = (size_t)counts[c] * size;
        fill_pattern(out, bytes, (unsigned)(world_rank * 10 + c));
        OK(MPI_Sendrecv(out, counts[c], type, right, c, in, counts[c], type, left, c, MPI_COMM_WORLD, &status));
        OK(MPI_Get_count(&status, type, &seen));
        EQ(seen, counts[c]);
        CHECK_PATTERN(in, bytes, left * 10 + c);
    }
    free(out);
    free(in);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    travels(MPI_CHAR, 1);
    travels(MPI_SIGNED_CHAR, 1);
    travels(MPI_UNSIGNED_CHAR, 1);
    travels(MPI_BYTE, 1);
    travels(MPI_PACKED, 1);
    travels(MPI_WCHAR, sizeof(wchar_t));
    travels(MPI_SHORT, sizeof(short));
    travels(MPI_UNSIGNED_SHORT, sizeof(short));
    travels(MPI_INT, sizeof(int));
    travels(MPI_UNSIGNED, sizeof(int));
    travels(MPI_LONG, sizeof(long));
    travels(MPI_UNSIGNED_LONG, sizeof(long));
    travels(MPI_LONG_LONG, sizeof(long long));
    travels(MPI_LONG_LONG_INT, sizeof(long long));
    travels(MPI_UNSIGNED_LONG_LONG, sizeof(long long));
    travels(MPI_FLOAT, sizeof(float));
    travels(MPI_DOUBLE, sizeof(double));
    travels(MPI_LONG_DOUBLE, sizeof(long double));
    travels(MPI_INT8_T, 1);
    travels(MPI_INT16_T, 2);
    travels(MPI_INT32_T, 4);
    travels(MPI_INT64_T, 8);
    travels(MPI_UINT8_T, 1);
    travels(MPI_UINT16_T, 2);
    travels(MPI_UINT32_T, 4);
    travels(MPI_UINT64_T, 8);
    travels(MPI_C_BOOL, 1);
    travels(MPI_C_COMPLEX, 2 * sizeof(float));
    travels(MPI_C_FLOAT_COMPLEX, 2 * sizeof(float));
    travels(MPI_C_DOUBLE_COMPLEX, 2 * sizeof(double));
    travels(MPI_C_LONG_DOUBLE_COMPLEX, 2 * sizeof(long double));
    travels(MPI_AINT, sizeof(MPI_Aint));
    travels(MPI_OFFSET, sizeof(MPI_Offset));
    travels(MPI_COUNT, sizeof(MPI_Count));
    return finish();
}
