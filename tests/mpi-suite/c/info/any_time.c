/* Info objects work before MPI_Init and after MPI_Finalize, and tell how the program was started (MPI 5.0 sections 11.2.4 and
 * 11.4.1). */
#include "check.h"

static const char *value_of(MPI_Info info, const char *key) {
    static char value[MPI_MAX_INFO_VAL];
    int flag = 0, room = MPI_MAX_INFO_VAL;
    MPI_Info_get_string(info, key, &room, value, &flag);
    return flag ? value : "";
}

/* An object made here that holds `key`. */
static MPI_Info made_with(const char *key) {
    MPI_Info info = MPI_INFO_NULL;
    OK(MPI_Info_create(&info));
    OK(MPI_Info_set(info, key, "1"));
    return info;
}

int main(int argc, char **argv) {
    MPI_Info early = made_with("early"), env = MPI_INFO_NULL;
    EQ_STR(value_of(early, "early"), "1");
    OK(MPI_Info_create_env(argc, argv, &env));
    EQ_STR(value_of(env, "command"), argv[0]);
    EQ_STR(value_of(env, "argv"), "one two");
    OK(MPI_Info_set(env, "command", "changed"));
    OK(MPI_Info_free(&env));

    begin(&argc, &argv);
    char number[16];
    snprintf(number, sizeof number, "%d", world_size);
    EQ_STR(value_of(MPI_INFO_ENV, "maxprocs"), number);
    CHECK(strlen(value_of(MPI_INFO_ENV, "command")) > 0);
    CHECK(strlen(value_of(MPI_INFO_ENV, "host")) > 0);
    OK(MPI_Info_dup(MPI_INFO_ENV, &env));
    OK(MPI_Info_set(env, "maxprocs", "changed"));
    EQ_STR(value_of(MPI_INFO_ENV, "maxprocs"), number);
    OK(MPI_Info_free(&env));
    EQ_STR(value_of(early, "early"), "1");
    int status = finish();

    MPI_Info late = made_with("late");
    if (strcmp(value_of(early, "early"), "1") != 0 || strcmp(value_of(late, "late"), "1") != 0 ||
        MPI_Info_free(&late) != MPI_SUCCESS || MPI_Info_free(&early) != MPI_SUCCESS)
        return 3;
    return status;
}
