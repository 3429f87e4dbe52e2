/* Attributes of communicators: set, replaced, deleted, copied, with their callbacks (MPI 5.0 section 7.7.2). */
#include "check.h"

/* What the callbacks were called with. */
static struct {
    int copies, deletes, keyval;
    MPI_Comm comm;
    void *value, *extra;
} seen;
static int extra_state, values[8];

static int copy(MPI_Comm comm, int keyval, void *extra, void *value_in, void *value_out, int *flag) {
    seen.copies++;
    seen.comm = comm;
    seen.keyval = keyval;
    seen.extra = extra;
    seen.value = value_in;
    *(void **)value_out = (int *)value_in + 1;
    *flag = 1;
    return MPI_SUCCESS;
}

static int refuse(MPI_Comm comm, int keyval, void *extra, void *value_in, void *value_out, int *flag) {
    (void)comm, (void)keyval, (void)extra, (void)value_in, (void)value_out;
    seen.copies++;
    *flag = 0;
    return MPI_SUCCESS;
}

static int drop(MPI_Comm comm, int keyval, void *value, void *extra) {
    seen.deletes++;
    seen.comm = comm;
    seen.keyval = keyval;
    seen.value = value;
    seen.extra = extra;
    return MPI_SUCCESS;
}

/* The value; NULL if there is none. */
static void *value_of(MPI_Comm comm, int keyval) {
    void *value = &values[7];
    int flag = -1;
    OK(MPI_Comm_get_attr(comm, keyval, &value, &flag));
    if (!flag)
        CHECK(value == &values[7]);
    return flag ? value : NULL;
}

static void life_of_a_value(void) {
    int keyval = MPI_KEYVAL_INVALID;
    MPI_Comm comm;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    OK(MPI_Comm_create_keyval(copy, drop, &keyval, &extra_state));
    CHECK(keyval != MPI_KEYVAL_INVALID);
    CHECK(value_of(comm, keyval) == NULL);
    OK(MPI_Comm_set_attr(comm, keyval, &values[0]));
    CHECK(value_of(comm, keyval) == &values[0]);
    CHECK(value_of(MPI_COMM_WORLD, keyval) == NULL);
    EQ(seen.deletes, 0);

    OK(MPI_Comm_set_attr(comm, keyval, &values[1]));
    EQ(seen.deletes, 1);
    CHECK(seen.comm == comm && seen.keyval == keyval && seen.value == &values[0] && seen.extra == &extra_state);
    CHECK(value_of(comm, keyval) == &values[1]);

    OK(MPI_Comm_delete_attr(comm, keyval));
    EQ(seen.deletes, 2);
    CHECK(seen.value == &values[1]);
    CHECK(value_of(comm, keyval) == NULL);

    /* A null value is a value. */
    int flag = 0;
    void *value = &values[7];
    OK(MPI_Comm_set_attr(comm, keyval, NULL));
    OK(MPI_Comm_get_attr(comm, keyval, &value, &flag));
    CHECK(flag && value == NULL);

    OK(MPI_Comm_free(&comm));
    EQ(seen.deletes, 3);
    OK(MPI_Comm_free_keyval(&keyval));
    EQ(keyval, MPI_KEYVAL_INVALID);
}

static void duplicates(void) {
    int copied, same, never, refused;
    MPI_Comm first, second;
    memset(&seen, 0, sizeof seen);
    OK(MPI_Comm_create_keyval(copy, drop, &copied, &extra_state));
    OK(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, MPI_COMM_NULL_DELETE_FN, &same, NULL));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &never, NULL));
    OK(MPI_Comm_create_keyval(refuse, MPI_COMM_NULL_DELETE_FN, &refused, NULL));
    OK(MPI_Comm_dup(MPI_COMM_SELF, &first));
    OK(MPI_Comm_set_attr(first, copied, &values[2]));
    OK(MPI_Comm_set_attr(first, same, &values[3]));
    OK(MPI_Comm_set_attr(first, never, &values[4]));
    OK(MPI_Comm_set_attr(first, refused, &values[5]));
    OK(MPI_Comm_dup(first, &second));
    EQ(seen.copies, 2);
    CHECK(seen.comm == first && seen.keyval == copied && seen.value == &values[2] && seen.extra == &extra_state);
    CHECK(value_of(second, copied) == &values[3]);
    CHECK(value_of(second, same) == &values[3]);
    CHECK(value_of(second, never) == NULL);
    CHECK(value_of(second, refused) == NULL);
    CHECK(value_of(first, copied) == &values[2]);
    OK(MPI_Comm_free(&first));
    EQ(seen.deletes, 1);
    OK(MPI_Comm_free(&second));
    EQ(seen.deletes, 2);
    CHECK(seen.value == &values[3]);

    /* Only a duplicate gets attributes: not what a split or a group makes. */
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &first));
    OK(MPI_Comm_set_attr(first, same, &values[3]));
    OK(MPI_Comm_split(first, 0, world_rank, &second));
    CHECK(value_of(second, same) == NULL);
    OK(MPI_Comm_free(&second));
    OK(MPI_Comm_free(&first));
    OK(MPI_Comm_free_keyval(&copied));
    OK(MPI_Comm_free_keyval(&same));
    OK(MPI_Comm_free_keyval(&never));
    OK(MPI_Comm_free_keyval(&refused));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    life_of_a_value();
    duplicates();
    return finish();
}
