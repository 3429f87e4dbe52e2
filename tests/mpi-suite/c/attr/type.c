/* Attributes of datatypes (MPI 5.0 section 7.7.4). */
#include "check.h"

static int copies, deletes;
static MPI_Datatype copied_from, deleted_from;

static int copy(MPI_Datatype type, int keyval, void *extra, void *value_in, void *value_out, int *flag) {
    (void)keyval, (void)extra;
    copies++;
    copied_from = type;
    *(void **)value_out = value_in;
    *flag = 1;
    return MPI_SUCCESS;
}

static int drop(MPI_Datatype type, int keyval, void *value, void *extra) {
    (void)keyval, (void)value, (void)extra;
    deletes++;
    deleted_from = type;
    return MPI_SUCCESS;
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int keyval, never, value, flag = -1;
    void *seen = NULL;
    MPI_Datatype pair, duplicate, built, was;
    OK(MPI_Type_create_keyval(copy, drop, &keyval, NULL));
    OK(MPI_Type_create_keyval(MPI_TYPE_NULL_COPY_FN, MPI_TYPE_NULL_DELETE_FN, &never, NULL));
    OK(MPI_Type_contiguous(2, MPI_INT, &pair));
    OK(MPI_Type_set_attr(pair, keyval, &value));
    OK(MPI_Type_set_attr(pair, never, &value));

    OK(MPI_Type_dup(pair, &duplicate));
    EQ(copies, 1);
    CHECK(copied_from == pair);
    OK(MPI_Type_get_attr(duplicate, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Type_get_attr(duplicate, never, &seen, &flag));
    EQ(flag, 0);
    /* A type built from another one has none of its attributes. */
    OK(MPI_Type_contiguous(3, pair, &built));
    OK(MPI_Type_get_attr(built, keyval, &seen, &flag));
    EQ(flag, 0);

    was = pair;
    OK(MPI_Type_free(&pair));
    EQ(deletes, 1);
    CHECK(deleted_from == was);
    OK(MPI_Type_delete_attr(duplicate, keyval));
    EQ(deletes, 2);
    OK(MPI_Type_free(&duplicate));
    OK(MPI_Type_free(&built));
    EQ(deletes, 2);

    /* Predefined types can have attributes, too. */
    OK(MPI_Type_set_attr(MPI_INT, keyval, &value));
    OK(MPI_Type_get_attr(MPI_INT, keyval, &seen, &flag));
    CHECK(flag && seen == &value);
    OK(MPI_Type_get_attr(MPI_DOUBLE, keyval, &seen, &flag));
    EQ(flag, 0);
    OK(MPI_Type_delete_attr(MPI_INT, keyval));
    EQ(deletes, 3);
    OK(MPI_Type_free_keyval(&keyval));
    OK(MPI_Type_free_keyval(&never));
    EQ(keyval, MPI_KEYVAL_INVALID);
    return finish();
}
