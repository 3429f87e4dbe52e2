/* Buffers of every length: MPI_Info_get_string, MPI_Info_get and MPI_Info_get_valuelen cut, end with NUL and write nothing beyond
 * (MPI 5.0 sections 10 and 16.3). */
#include "check.h"

static const char wanted[] = "0123456789";
enum { LENGTH = sizeof wanted - 1, GUARD = 0x55 };

static void check_cut(const char *value, int kept, int written) {
    CHECK(memcmp(value, wanted, (size_t)kept) == 0);
    if (written > 0)
        EQ(value[kept], 0);
    for (int i = written; i < 32; i++)
        CHECK_MSG(value[i] == GUARD, "byte %d was overwritten", i);
}

static void with_get_string(MPI_Info info, int room) {
    char value[32];
    int buflen = room, flag = -1, kept = room == 0 ? 0 : (room - 1 < LENGTH ? room - 1 : LENGTH);
    memset(value, GUARD, sizeof value);
    OK(MPI_Info_get_string(info, "digits", &buflen, value, &flag));
    EQ(flag, 1);
    EQ(buflen, LENGTH + 1);
    check_cut(value, kept, room == 0 ? 0 : kept + 1);
}

static void with_get(MPI_Info info, int valuelen) {
    char value[32];
    int flag = -1, kept = valuelen < LENGTH ? valuelen : LENGTH;
    memset(value, GUARD, sizeof value);
    OK(MPI_Info_get(info, "digits", valuelen, value, &flag));
    EQ(flag, 1);
    check_cut(value, kept, kept + 1);
}

static void longest(void) {
    static char key[MPI_MAX_INFO_KEY], value[MPI_MAX_INFO_VAL], seen[MPI_MAX_INFO_VAL];
    MPI_Info info;
    int flag = -1, length = -1, buflen = MPI_MAX_INFO_VAL;
    memset(key, 'k', sizeof key - 1);
    memset(value, 'v', sizeof value - 1);
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, key, value));
    OK(MPI_Info_get_valuelen(info, key, &length, &flag));
    EQ(flag, 1);
    EQ(length, MPI_MAX_INFO_VAL - 1);
    OK(MPI_Info_get_string(info, key, &buflen, seen, &flag));
    EQ(buflen, MPI_MAX_INFO_VAL);
    EQ_STR(seen, value);
    OK(MPI_Info_get_nthkey(info, 0, seen));
    EQ_STR(seen, key);
    OK(MPI_Info_free(&info));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Info info;
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, "digits", wanted));
    for (int room = 0; room < 16; room++)
        with_get_string(info, room);
    for (int valuelen = 1; valuelen < 16; valuelen++)
        with_get(info, valuelen);

    /* What is asked of a key that is not there changes nothing but the flag. */
    char value[32];
    int flag = -1, length = 77, buflen = 5;
    memset(value, GUARD, sizeof value);
    OK(MPI_Info_get_valuelen(info, "letters", &length, &flag));
    EQ(flag, 0);
    EQ(length, 77);
    OK(MPI_Info_get_string(info, "letters", &buflen, value, &flag));
    EQ(flag, 0);
    EQ(buflen, 5);
    OK(MPI_Info_get(info, "letters", 5, value, &flag));
    EQ(flag, 0);
    check_cut(value, 0, 0);
    OK(MPI_Info_free(&info));
    longest();
    return finish();
}
