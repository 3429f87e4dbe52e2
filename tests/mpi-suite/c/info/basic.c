/* Keys keep their order; values are replaced, copied and deleted (MPI 5.0 chapter 10). */
#include "check.h"

static void check_key(MPI_Info info, int n, const char *wanted) {
    char key[MPI_MAX_INFO_KEY];
    memset(key, 'x', sizeof key);
    OK(MPI_Info_get_nthkey(info, n, key));
    EQ_STR(key, wanted);
}

/* The value of a key, or NULL. */
static const char *value_of(MPI_Info info, const char *key) {
    static char value[MPI_MAX_INFO_VAL];
    int flag = -1, room = MPI_MAX_INFO_VAL;
    OK(MPI_Info_get_string(info, key, &room, value, &flag));
    if (flag)
        EQ(room, (int)strlen(value) + 1);
    else
        EQ(room, MPI_MAX_INFO_VAL);
    return flag ? value : NULL;
}

static int count(MPI_Info info) {
    int n = -1;
    OK(MPI_Info_get_nkeys(info, &n));
    return n;
}

static void many_keys(void) {
    MPI_Info info;
    char key[32], value[32];
    OK(MPI_Info_create(&info));
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(value, sizeof value, "value %d", i);
        OK(MPI_Info_set(info, key, value));
    }
    EQ(count(info), 1000);
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof key, "key %d", i);
        OK(MPI_Info_delete(info, key));
    }
    EQ(count(info), 500);
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "key %d", 2 * i + 1);
        check_key(info, i, key);
    }
    OK(MPI_Info_free(&info));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Info info, copy;
    OK(MPI_Info_create(&info));
    CHECK(info != MPI_INFO_NULL);
    EQ(count(info), 0);
    OK(MPI_Info_set(info, "file", "runfile.txt"));
    OK(MPI_Info_set(info, "soft", "2:1000:4,3:1000:7"));
    OK(MPI_Info_set(info, "a key with blanks", ""));
    EQ(count(info), 3);
    check_key(info, 0, "file");
    check_key(info, 1, "soft");
    check_key(info, 2, "a key with blanks");
    EQ_STR(value_of(info, "soft"), "2:1000:4,3:1000:7");
    EQ_STR(value_of(info, "a key with blanks"), "");
    CHECK(value_of(info, "File") == NULL);
    CHECK(value_of(info, "fil") == NULL);

    OK(MPI_Info_set(info, "file", "other.txt"));
    EQ(count(info), 3);
    check_key(info, 0, "file");
    EQ_STR(value_of(info, "file"), "other.txt");

    OK(MPI_Info_dup(info, &copy));
    CHECK(copy != info);
    OK(MPI_Info_set(copy, "file", "third.txt"));
    OK(MPI_Info_delete(info, "soft"));
    EQ(count(info), 2);
    EQ(count(copy), 3);
    check_key(copy, 1, "soft");
    EQ_STR(value_of(info, "file"), "other.txt");
    EQ_STR(value_of(copy, "file"), "third.txt");
    check_key(info, 1, "a key with blanks");
    OK(MPI_Info_free(&info));
    CHECK(info == MPI_INFO_NULL);
    EQ_STR(value_of(copy, "soft"), "2:1000:4,3:1000:7");
    OK(MPI_Info_free(&copy));
    many_keys();
    return finish();
}
