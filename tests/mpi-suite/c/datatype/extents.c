/* Extents: rounded up to the alignment of what is inside, and never less than the components need, wherever they lie
   (MPI 5.0 sections 5.1 and 5.1.7). */
#include "check.h"

static MPI_Aint extent_of(MPI_Datatype type) {
    MPI_Aint lb = -1, extent = -1;
    OK(MPI_Type_get_extent(type, &lb, &extent));
    EQ(lb, 0);
    return extent;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    /* A structure is padded, and so are structures of it. */
    int lengths[2] = {1, 1};
    MPI_Aint at[2] = {0, sizeof(double)}, nested_at[2] = {0, 2 * sizeof(double)};
    MPI_Datatype types[2] = {MPI_DOUBLE, MPI_CHAR}, record, nested[2] = {MPI_DATATYPE_NULL, MPI_CHAR}, both;
    OK(MPI_Type_create_struct(2, lengths, at, types, &record));
    EQ(extent_of(record), 2 * sizeof(double));
    nested[0] = record;
    OK(MPI_Type_create_struct(2, lengths, nested_at, nested, &both));
    EQ(extent_of(both), 3 * sizeof(double));
    OK(MPI_Type_free(&both));
    OK(MPI_Type_free(&record));

    /* Blocks at places that their alignment does not allow: the last component counts with its own extent. */
    MPI_Datatype of[] = {MPI_SHORT, MPI_INT, MPI_DOUBLE, MPI_LONG_DOUBLE};
    for (int i = 0; i < 4; i++) {
        MPI_Datatype inner, outer;
        int count = 3;
        MPI_Aint whole = extent_of(of[i]), stride = 6 * whole + 1;
        OK(MPI_Type_create_hvector(count, 4, stride, of[i], &inner));
        MPI_Aint extent = extent_of(inner);
        CHECK(extent >= (count - 1) * stride + 4 * whole);
        MPI_Aint outer_stride = 4 * extent + 1;
        OK(MPI_Type_create_hvector(2, 3, outer_stride, inner, &outer));
        CHECK_MSG(extent_of(outer) >= outer_stride + 3 * extent, "extent %ld, but the components reach to %ld", (long)extent_of(outer),
                  (long)(outer_stride + 3 * extent));
        OK(MPI_Type_free(&outer));
        OK(MPI_Type_free(&inner));
    }
    return finish();
}
