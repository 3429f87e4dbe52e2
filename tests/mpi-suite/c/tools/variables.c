/* What a tool is told about the variables: names, types, strings cut to the room there is, enumerations, categories,
 * and codes for what does not exist (MPI 5.0 sections 15.3.3 to 15.3.9). */
#include "check.h"

enum { ROOM = 300 };

/* A string asked for with too little room, with none, and not at all. */
static void strings(int index) {
    char whole[ROOM], part[8] = "-------";
    int whole_len = ROOM, part_len = 5, none_len = 0;
    OK(MPI_T_cvar_get_info(index, whole, &whole_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    EQ(whole_len, strlen(whole) + 1);
    OK(MPI_T_cvar_get_info(index, part, &part_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    EQ(part_len, whole_len);
    CHECK(strlen(part) == 4 && strncmp(part, whole, 4) == 0);
    CHECK(part[5] == '-');
    OK(MPI_T_cvar_get_info(index, part, &none_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    EQ(none_len, whole_len);
    EQ_STR(part, "hpvm");
    none_len = 100;
    OK(MPI_T_cvar_get_info(index, NULL, &none_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    EQ(none_len, whole_len);
    OK(MPI_T_cvar_get_info(index, part, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    EQ_STR(part, "hpvm");
}

static void enumeration(MPI_T_enum type, int items) {
    char name[ROOM];
    int num = -1, value = -1, length = ROOM;
    OK(MPI_T_enum_get_info(type, &num, name, &length));
    EQ(num, items);
    EQ(length, strlen(name) + 1);
    for (int i = 0; i < num; i++) {
        length = ROOM;
        OK(MPI_T_enum_get_item(type, i, &value, name, &length));
        EQ(value, i);
        CHECK(strlen(name) > 0);
    }
    FAILS(MPI_T_enum_get_item(type, num, &value, name, &length), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_enum_get_info(MPI_T_ENUM_NULL, &num, name, &length), MPI_T_ERR_INVALID_HANDLE);
}

static int control_variables(void) {
    int num = 0, index, verbosity, bind, scope, name_len, desc_len, enumerations = 0;
    char name[ROOM], desc[ROOM];
    MPI_Datatype type;
    MPI_T_enum values;
    OK(MPI_T_cvar_get_num(&num));
    for (int i = 0; i < num; i++) {
        name_len = desc_len = ROOM;
        OK(MPI_T_cvar_get_info(i, name, &name_len, &verbosity, &type, &values, desc, &desc_len, &bind, &scope));
        CHECK_MSG(strncmp(name, "hpvm_", 5) == 0 && desc_len > 10, "variable %d: %s, %s", i, name, desc);
        CHECK(type == MPI_INT || type == MPI_COUNT);
        CHECK(verbosity >= MPI_T_VERBOSITY_USER_BASIC && verbosity <= MPI_T_VERBOSITY_MPIDEV_ALL);
        EQ(bind, MPI_T_BIND_NO_OBJECT);
        CHECK(scope >= MPI_T_SCOPE_CONSTANT && scope <= MPI_T_SCOPE_ALL_EQ);
        OK(MPI_T_cvar_get_index(name, &index));
        EQ(index, i);
        strings(i);
        if (values != MPI_T_ENUM_NULL) {
            enumerations++;
            enumeration(values, 2);
        }
    }
    CHECK(enumerations > 0);
    FAILS(MPI_T_cvar_get_info(num, name, &name_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_cvar_get_info(-1, name, &name_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_cvar_get_index("no such variable", &index), MPI_T_ERR_INVALID_NAME);
    FAILS(MPI_T_cvar_get_index(NULL, &index), MPI_T_ERR_INVALID);
    return num;
}

static int performance_variables(void) {
    int num = 0, index, verbosity, class, bind, readonly, continuous, atomic, name_len, desc_len;
    char name[ROOM], desc[ROOM];
    MPI_Datatype type;
    MPI_T_enum values;
    OK(MPI_T_pvar_get_num(&num));
    for (int i = 0; i < num; i++) {
        name_len = desc_len = ROOM;
        OK(MPI_T_pvar_get_info(i, name, &name_len, &verbosity, &class, &type, &values, desc, &desc_len, &bind, &readonly,
                               &continuous, &atomic));
        CHECK_MSG(strncmp(name, "hpvm_", 5) == 0 && desc_len > 10, "variable %d: %s, %s", i, name, desc);
        CHECK(type == MPI_UNSIGNED_LONG_LONG || (type == MPI_INT && class == MPI_T_PVAR_CLASS_STATE));
        /* A state has names for its values, and nothing else has (section 15.3.7). */
        CHECK((values != MPI_T_ENUM_NULL) == (class == MPI_T_PVAR_CLASS_STATE));
        if (values != MPI_T_ENUM_NULL)
            enumeration(values, 3);
        CHECK((bind == MPI_T_BIND_MPI_COMM) == (strstr(name, "queue") != NULL));
        OK(MPI_T_pvar_get_index(name, class, &index));
        EQ(index, i);
        FAILS(MPI_T_pvar_get_index(name, MPI_T_PVAR_CLASS_TIMER, &index), MPI_T_ERR_INVALID_NAME);
    }
    OK(MPI_T_pvar_get_info(0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL));
    FAILS(MPI_T_pvar_get_info(num, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
          MPI_T_ERR_INVALID_INDEX);
    return num;
}

/* Every variable is in one category, every category but the first in another one. */
static void categories(int num_cvars, int num_pvars) {
    int num = 0, index, cvars = 0, pvars = 0, children = 0, events = -1, name_len, c, p, s, indices[ROOM], before, after;
    char name[ROOM];
    OK(MPI_T_category_changed(&before));
    OK(MPI_T_category_get_num(&num));
    for (int i = 0; i < num; i++) {
        name_len = ROOM;
        OK(MPI_T_category_get_info(i, name, &name_len, NULL, NULL, &c, &p, &s));
        OK(MPI_T_category_get_index(name, &index));
        EQ(index, i);
        cvars += c;
        pvars += p;
        children += s;
        OK(MPI_T_category_get_num_events(i, &events));
        EQ(events, 0);
        OK(MPI_T_category_get_events(i, 0, NULL));
        for (int k = 0; k < ROOM; k++)
            indices[k] = -7;
        OK(MPI_T_category_get_cvars(i, ROOM, indices));
        CHECK(c == 0 || (indices[c - 1] >= 0 && indices[c - 1] < num_cvars));
        EQ(indices[c], -7);
        OK(MPI_T_category_get_pvars(i, ROOM, indices));
        CHECK(p == 0 || (indices[p - 1] >= 0 && indices[p - 1] < num_pvars));
        OK(MPI_T_category_get_categories(i, ROOM, indices));
        CHECK(s == 0 || (indices[s - 1] > 0 && indices[s - 1] < num));
        /* as many as there is room for */
        indices[1] = -7;
        OK(MPI_T_category_get_pvars(i, 1, indices));
        EQ(indices[1], -7);
    }
    EQ(cvars, num_cvars);
    EQ(pvars, num_pvars);
    EQ(children, num - 1);
    FAILS(MPI_T_category_get_cvars(num, ROOM, indices), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_category_get_index("no such category", &index), MPI_T_ERR_INVALID_NAME);
    OK(MPI_T_category_changed(&after));
    EQ(after, before);
}

/* There are no events, and one clock that they would be timed by. */
static void events_and_sources(void) {
    int num = -1, index, name_len = ROOM;
    char name[ROOM];
    MPI_T_source_order order;
    MPI_Count ticks = 0, ticks_max = 0, first = 0, second = 0;
    MPI_Info info = MPI_INFO_NULL;
    MPI_T_event_registration registration;
    OK(MPI_T_event_get_num(&num));
    EQ(num, 0);
    FAILS(MPI_T_event_get_index("no such event", &index), MPI_T_ERR_INVALID_NAME);
    FAILS(MPI_T_event_get_info(0, name, &name_len, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
          MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_event_handle_alloc(0, NULL, MPI_INFO_NULL, &registration), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_event_handle_free((MPI_T_event_registration)(uintptr_t)77, NULL, NULL), MPI_T_ERR_INVALID_HANDLE);
    OK(MPI_T_source_get_num(&num));
    EQ(num, 1);
    OK(MPI_T_source_get_info(0, name, &name_len, NULL, NULL, &order, &ticks, &ticks_max, &info));
    EQ(order, MPI_T_SOURCE_ORDERED);
    CHECK(ticks > 0 && ticks_max > 0);
    OK(MPI_Info_free(&info));
    OK(MPI_T_source_get_timestamp(0, &first));
    do {
        OK(MPI_T_source_get_timestamp(0, &second));
    } while (second == first && check_errors == 0);
    CHECK(first > 0 && second > first && second - first < ticks * 10);
    FAILS(MPI_T_source_get_timestamp(1, &first), MPI_T_ERR_INVALID_INDEX);
    FAILS(MPI_T_source_get_info(-1, name, &name_len, NULL, NULL, NULL, NULL, NULL, NULL), MPI_T_ERR_INVALID_INDEX);
}

int main(int argc, char **argv) {
    int provided;
    OK(MPI_T_init_thread(MPI_THREAD_SINGLE, &provided));
    begin(&argc, &argv);
    int cvars = control_variables(), pvars = performance_variables();
    categories(cvars, pvars);
    events_and_sources();
    OK(MPI_T_finalize());
    return finish();
}
