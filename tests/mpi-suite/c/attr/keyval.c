/* Keys: freed while in use, used inside callbacks, mixed up (MPI 5.0 section 7.7). */
#include "check.h"

static int deletes, inner_keyval;

static int drop(MPI_Comm comm, int keyval, void *value, void *extra) {
    (void)comm, (void)keyval, (void)value, (void)extra;
    deletes++;
    return MPI_SUCCESS;
}

/* A callback may call MPI, on the same communicator too. */
static int drop_and_call(MPI_Comm comm, int keyval, void *value, void *extra) {
    int size = 0;
    (void)keyval, (void)value, (void)extra;
    OK(MPI_Comm_size(comm, &size));
    CHECK(size > 0);
    OK(MPI_Comm_delete_attr(comm, inner_keyval));
    deletes++;
    return MPI_SUCCESS;
}

/* Frees the key it is called for. */
static int drop_and_free(MPI_Comm comm, int keyval, void *value, void *extra) {
    (void)comm, (void)value, (void)extra;
    deletes++;
    return MPI_Comm_free_keyval(&keyval);
}

static void freed_in_use(void) {
    int keyval, again, value, flag = 0;
    void *seen;
    MPI_Comm first, second;
    deletes = 0;
    OK(MPI_Comm_create_keyval(MPI_COMM_DUP_FN, drop, &keyval, NULL));
    again = keyval;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &first));
    OK(MPI_Comm_set_attr(first, keyval, &value));
    OK(MPI_Comm_free_keyval(&keyval));
    /* The key lives on in the communicator, is copied, and can be named until its last attribute goes. */
    OK(MPI_Comm_dup(first, &second));
    OK(MPI_Comm_get_attr(second, again, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Comm_free(&first));
    EQ(deletes, 1);
    OK(MPI_Comm_delete_attr(second, again));
    EQ(deletes, 2);
    OK(MPI_Comm_free(&second));
    EQ(deletes, 2);
}

static void calls_in_callbacks(void) {
    int keyval, copy, value;
    MPI_Comm comm;
    deletes = 0;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, drop, &inner_keyval, NULL));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, drop_and_call, &keyval, NULL));
    OK(MPI_Comm_set_attr(comm, inner_keyval, &value));
    OK(MPI_Comm_set_attr(comm, keyval, &value));
    OK(MPI_Comm_free(&comm));
    EQ(deletes, 2);
    OK(MPI_Comm_free_keyval(&inner_keyval));
    OK(MPI_Comm_free_keyval(&keyval));

    deletes = 0;
    OK(MPI_Comm_dup(MPI_COMM_SELF, &comm));
    OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, drop_and_free, &keyval, NULL));
    copy = keyval;
    OK(MPI_Comm_set_attr(comm, keyval, &value));
    OK(MPI_Comm_set_attr(MPI_COMM_SELF, keyval, &value));
    OK(MPI_Comm_free(&comm));
    OK(MPI_Comm_free_keyval(&keyval));
    OK(MPI_Comm_free_keyval(&copy));
    EQ(deletes, 1);
}

static void many_keys(void) {
    enum { KEYS = 200 };
    int keyval[KEYS], value[KEYS], flag = 0;
    void *seen;
    for (int i = 0; i < KEYS; i++) {
        OK(MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &keyval[i], NULL));
        OK(MPI_Comm_set_attr(MPI_COMM_WORLD, keyval[i], &value[i]));
    }
    for (int i = 0; i < KEYS; i++) {
        OK(MPI_Comm_get_attr(MPI_COMM_WORLD, keyval[i], &seen, &flag));
        CHECK(flag && seen == &value[i]);
        for (int j = 0; j < i; j++)
            CHECK(keyval[i] != keyval[j]);
    }
    for (int i = 0; i < KEYS; i++) {
        OK(MPI_Comm_delete_attr(MPI_COMM_WORLD, keyval[i]));
        OK(MPI_Comm_free_keyval(&keyval[i]));
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    freed_in_use();
    calls_in_callbacks();
    many_keys();
    return finish();
}
