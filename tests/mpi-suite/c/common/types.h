/* The predefined types that reductions take, with what each operation does to them computed the plain way.
 *
 * Values are small integers: sums and products of them are exact in every floating type, so results can be compared
 * bit by bit whatever the order of evaluation; integers wrap. */
#ifndef TYPES_H
#define TYPES_H

#include "check.h"

#include <complex.h>
#include <stdbool.h>

/* Which operations a type takes (MPI 5.0 section 6.9.2). */
enum { ARITHMETIC = 1, ORDERED = 2, BITWISE = 4, LOGICAL = 8 };
enum { C_INTEGER = ARITHMETIC | ORDERED | BITWISE | LOGICAL, SHARED_INTEGER = ARITHMETIC | ORDERED | BITWISE };
enum { FLOATING = ARITHMETIC | ORDERED };

enum op_index { SUM, PROD, MAX, MIN, BAND, BOR, BXOR, LAND, LOR, LXOR, OPS };

struct op {
    const char *name;
    MPI_Op op;
    int needs;
};

/* A function, since handles need not be constant expressions everywhere. */
static CHECK_UNUSED struct op op_at(int index) {
    const struct op ops[OPS] = {
        {"MPI_SUM", MPI_SUM, ARITHMETIC}, {"MPI_PROD", MPI_PROD, ARITHMETIC}, {"MPI_MAX", MPI_MAX, ORDERED},
        {"MPI_MIN", MPI_MIN, ORDERED},    {"MPI_BAND", MPI_BAND, BITWISE},    {"MPI_BOR", MPI_BOR, BITWISE},
        {"MPI_BXOR", MPI_BXOR, BITWISE},  {"MPI_LAND", MPI_LAND, LOGICAL},    {"MPI_LOR", MPI_LOR, LOGICAL},
        {"MPI_LXOR", MPI_LXOR, LOGICAL},
    };
    return ops[index];
}

struct kind {
    const char *name;
    MPI_Datatype type;
    size_t size;
    int takes;
    void (*set)(void *at, size_t i, int value);
    /* at[i] = at[i] op other[i] */
    void (*apply)(int op, void *at, const void *other, size_t i);
    int (*equal)(const void *a, const void *b, size_t i);
};

#define COMMON_OF(NAME, T)                                                                   \
    static CHECK_UNUSED int equal_##NAME(const void *a, const void *b, size_t i) {           \
        return ((const T *)a)[i] == ((const T *)b)[i];                                       \
    }

#define INTEGER_OF(NAME, T)                                                                  \
    static CHECK_UNUSED void set_##NAME(void *at, size_t i, int value) { ((T *)at)[i] = (T)value; } \
    static CHECK_UNUSED void apply_##NAME(int op, void *at, const void *other, size_t i) {   \
        T a = ((T *)at)[i], b = ((const T *)other)[i];                                       \
        uint64_t x = (uint64_t)a, y = (uint64_t)b;                                           \
        switch (op) {                                                                        \
        case SUM: a = (T)(x + y); break;                                                     \
        case PROD: a = (T)(x * y); break;                                                    \
        case MAX: a = a > b ? a : b; break;                                                  \
        case MIN: a = a < b ? a : b; break;                                                  \
        case BAND: a = (T)(x & y); break;                                                    \
        case BOR: a = (T)(x | y); break;                                                     \
        case BXOR: a = (T)(x ^ y); break;                                                    \
        case LAND: a = (T)(a && b); break;                                                   \
        case LOR: a = (T)(a || b); break;                                                    \
        case LXOR: a = (T)(!a != !b); break;                                                 \
        }                                                                                    \
        ((T *)at)[i] = a;                                                                    \
    }                                                                                        \
    COMMON_OF(NAME, T)

#define FLOAT_OF(NAME, T)                                                                    \
    static CHECK_UNUSED void set_##NAME(void *at, size_t i, int value) { ((T *)at)[i] = (T)value; } \
    static CHECK_UNUSED void apply_##NAME(int op, void *at, const void *other, size_t i) {   \
        T a = ((T *)at)[i], b = ((const T *)other)[i];                                       \
        ((T *)at)[i] = op == SUM ? a + b : op == PROD ? a * b : op == MAX ? (a > b ? a : b) : (a < b ? a : b); \
    }                                                                                        \
    COMMON_OF(NAME, T)

#define COMPLEX_OF(NAME, T)                                                                  \
    static CHECK_UNUSED void set_##NAME(void *at, size_t i, int value) {                     \
        ((T *)at)[i] = (T)(value + (value % 2 ? 1 : -1) * I);                                \
    }                                                                                        \
    static CHECK_UNUSED void apply_##NAME(int op, void *at, const void *other, size_t i) {   \
        T a = ((T *)at)[i], b = ((const T *)other)[i];                                       \
        ((T *)at)[i] = op == SUM ? a + b : a * b;                                            \
    }                                                                                        \
    COMMON_OF(NAME, T)

/* Takes logical operations only. */
#define LOGIC_OF(NAME, T)                                                                    \
    static CHECK_UNUSED void set_##NAME(void *at, size_t i, int value) { ((T *)at)[i] = value != 0; } \
    static CHECK_UNUSED void apply_##NAME(int op, void *at, const void *other, size_t i) {   \
        T a = ((T *)at)[i], b = ((const T *)other)[i];                                       \
        ((T *)at)[i] = op == LAND ? a && b : op == LOR ? a || b : a != b;                    \
    }                                                                                        \
    COMMON_OF(NAME, T)

INTEGER_OF(schar, signed char)
INTEGER_OF(uchar, unsigned char)
INTEGER_OF(short, short)
INTEGER_OF(ushort, unsigned short)
INTEGER_OF(int, int)
INTEGER_OF(uint, unsigned)
INTEGER_OF(long, long)
INTEGER_OF(ulong, unsigned long)
INTEGER_OF(llong, long long)
INTEGER_OF(ullong, unsigned long long)
LOGIC_OF(logic, bool)
FLOAT_OF(float, float)
FLOAT_OF(double, double)
FLOAT_OF(ldouble, long double)
COMPLEX_OF(fcomplex, float _Complex)
COMPLEX_OF(dcomplex, double _Complex)
COMPLEX_OF(lcomplex, long double _Complex)

#define KIND(TYPE, NAME, T, TAKES) {#TYPE, TYPE, sizeof(T), TAKES, set_##NAME, apply_##NAME, equal_##NAME}

/* The kind number `index`; its name is NULL behind the last. */
static CHECK_UNUSED struct kind kind_at(int index) {
    const struct kind kinds[] = {
        KIND(MPI_INT, int, int, C_INTEGER),
        KIND(MPI_DOUBLE, double, double, FLOATING),
        KIND(MPI_FLOAT, float, float, FLOATING),
        KIND(MPI_LONG, long, long, C_INTEGER),
        KIND(MPI_SHORT, short, short, C_INTEGER),
        KIND(MPI_SIGNED_CHAR, schar, signed char, C_INTEGER),
        KIND(MPI_UNSIGNED_CHAR, uchar, unsigned char, C_INTEGER),
        KIND(MPI_UNSIGNED_SHORT, ushort, unsigned short, C_INTEGER),
        KIND(MPI_UNSIGNED, uint, unsigned, C_INTEGER),
        KIND(MPI_UNSIGNED_LONG, ulong, unsigned long, C_INTEGER),
        KIND(MPI_LONG_LONG, llong, long long, C_INTEGER),
        KIND(MPI_UNSIGNED_LONG_LONG, ullong, unsigned long long, C_INTEGER),
        KIND(MPI_INT8_T, schar, int8_t, C_INTEGER),
        KIND(MPI_INT16_T, short, int16_t, C_INTEGER),
        KIND(MPI_INT32_T, int, int32_t, C_INTEGER),
        KIND(MPI_INT64_T, long, int64_t, C_INTEGER),
        KIND(MPI_UINT8_T, uchar, uint8_t, C_INTEGER),
        KIND(MPI_UINT16_T, ushort, uint16_t, C_INTEGER),
        KIND(MPI_UINT32_T, uint, uint32_t, C_INTEGER),
        KIND(MPI_UINT64_T, ulong, uint64_t, C_INTEGER),
        KIND(MPI_AINT, long, MPI_Aint, SHARED_INTEGER),
        KIND(MPI_OFFSET, long, MPI_Offset, SHARED_INTEGER),
        KIND(MPI_COUNT, long, MPI_Count, SHARED_INTEGER),
        KIND(MPI_BYTE, uchar, unsigned char, BITWISE),
        KIND(MPI_C_BOOL, logic, bool, LOGICAL),
        KIND(MPI_LONG_DOUBLE, ldouble, long double, FLOATING),
        KIND(MPI_C_FLOAT_COMPLEX, fcomplex, float _Complex, ARITHMETIC),
        KIND(MPI_C_DOUBLE_COMPLEX, dcomplex, double _Complex, ARITHMETIC),
        KIND(MPI_C_LONG_DOUBLE_COMPLEX, lcomplex, long double _Complex, ARITHMETIC),
        /* Fortran's, which C programs may use where the representations agree */
        KIND(MPI_INTEGER, int, int, SHARED_INTEGER),
        KIND(MPI_REAL, float, float, FLOATING),
        KIND(MPI_DOUBLE_PRECISION, double, double, FLOATING),
        KIND(MPI_COMPLEX, fcomplex, float _Complex, ARITHMETIC),
        KIND(MPI_DOUBLE_COMPLEX, dcomplex, double _Complex, ARITHMETIC),
        KIND(MPI_INTEGER1, schar, int8_t, SHARED_INTEGER),
        KIND(MPI_INTEGER2, short, int16_t, SHARED_INTEGER),
        KIND(MPI_INTEGER4, int, int32_t, SHARED_INTEGER),
        KIND(MPI_INTEGER8, long, int64_t, SHARED_INTEGER),
        KIND(MPI_REAL4, float, float, FLOATING),
        KIND(MPI_REAL8, double, double, FLOATING),
        KIND(MPI_COMPLEX8, fcomplex, float _Complex, ARITHMETIC),
        KIND(MPI_COMPLEX16, dcomplex, double _Complex, ARITHMETIC),
        {NULL, MPI_DATATYPE_NULL, 0, 0, NULL, NULL, NULL},
    };
    return kinds[index];
}

#endif
