/* MPI_MINLOC and MPI_MAXLOC on all pair types; of equal values the lowest index wins (MPI 5.0 section 6.9.4). */
#include "variants.h"

#define PAIR_TEST(NAME, T, TYPE)                                                             \
    static void test_##NAME(void) {                                                          \
        enum { N = 37 };                                                                     \
        struct pair {                                                                        \
            T value;                                                                         \
            int index;                                                                       \
        } in[N], least[N], most[N], at_root[N];                                              \
        memset(in, 0, sizeof in);                                                            \
        for (int i = 0; i < N; i++) {                                                        \
            in[i].value = (T)((i * 5 + world_rank / 2 * 3) % 7);                             \
            in[i].index = world_rank + i;                                                    \
            at_root[i] = in[i];                                                              \
        }                                                                                    \
        int root = world_size - 1;                                                           \
        RUN(allreduce, Allreduce, in, least, N, TYPE, MPI_MINLOC, MPI_COMM_WORLD);           \
        RUN(allreduce, Allreduce, in, most, N, TYPE, MPI_MAXLOC, MPI_COMM_WORLD);            \
        RUN(reduce, Reduce, world_rank == root ? MPI_IN_PLACE : in, at_root, N, TYPE, MPI_MINLOC, root, \
            MPI_COMM_WORLD);                                                                 \
        for (int i = 0; i < N; i++) {                                                        \
            int low = 0, high = 0;                                                           \
            for (int rank = 1; rank < world_size; rank++) {                                  \
                int seen = (i * 5 + rank / 2 * 3) % 7;                                       \
                if (seen < (i * 5 + low / 2 * 3) % 7)                                        \
                    low = rank;                                                              \
                if (seen > (i * 5 + high / 2 * 3) % 7)                                       \
                    high = rank;                                                             \
            }                                                                                \
            CHECK_MSG(least[i].value == (T)((i * 5 + low / 2 * 3) % 7) && least[i].index == low + i, \
                      #TYPE ": minloc wrong at %d", i);                                      \
            CHECK_MSG(most[i].value == (T)((i * 5 + high / 2 * 3) % 7) && most[i].index == high + i, \
                      #TYPE ": maxloc wrong at %d", i);                                      \
            if (world_rank == root)                                                          \
                CHECK_MSG(at_root[i].index == low + i, #TYPE ": reduced minloc wrong at %d", i); \
        }                                                                                    \
    }

PAIR_TEST(float, float, MPI_FLOAT_INT)
PAIR_TEST(double, double, MPI_DOUBLE_INT)
PAIR_TEST(long, long, MPI_LONG_INT)
PAIR_TEST(int, int, MPI_2INT)
PAIR_TEST(short, short, MPI_SHORT_INT)
PAIR_TEST(ldouble, long double, MPI_LONG_DOUBLE_INT)

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    test_float();
    test_double();
    test_long();
    test_int();
    test_short();
    test_ldouble();
    return finish();
}
