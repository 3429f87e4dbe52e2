/* Counts and elements of what arrived, in other types than those posted; status accessors (MPI 5.0 sections 3.2.5,
 * 5.1.11, 13.3). */
#include "check.h"

/* Calls on requests without an operation give an empty status, whose error is MPI_SUCCESS (section 3.7.3). */
static void empty_statuses(void) {
    MPI_Request none[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    for (int call = 0; call < 6; call++) {
        MPI_Status status = {.MPI_SOURCE = 7, .MPI_TAG = 7, .MPI_ERROR = MPI_ERR_OTHER};
        int flag = 1, index = 7, count = 7;
        switch (call) {
        case 0: OK(MPI_Wait(&none[0], &status)); break;
        case 1: OK(MPI_Test(&none[0], &flag, &status)); break;
        case 2: OK(MPI_Waitany(2, none, &index, &status)); break;
        case 3: OK(MPI_Testany(2, none, &index, &flag, &status)); break;
        case 4: OK(MPI_Request_get_status(none[0], &flag, &status)); break;
        case 5: OK(MPI_Request_get_status_any(2, none, &index, &flag, &status)); break;
        }
        CHECK(flag);
        EQ(index, call == 2 || call == 3 || call == 5 ? MPI_UNDEFINED : 7);
        EQ(status.MPI_SOURCE, MPI_ANY_SOURCE);
        EQ(status.MPI_TAG, MPI_ANY_TAG);
        EQ(status.MPI_ERROR, MPI_SUCCESS);
        OK(MPI_Get_count(&status, MPI_INT, &count));
        EQ(count, 0);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    MPI_Status status;
    MPI_Datatype triple, pair, empty;
    int data[12] = {0}, out[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, count = -5, flag = -1;
    MPI_Count elements = -5;
    OK(MPI_Type_contiguous(3, MPI_INT, &triple));
    OK(MPI_Type_commit(&triple));
    OK(MPI_Type_contiguous(2, MPI_INT, &pair));
    OK(MPI_Type_commit(&pair));
    OK(MPI_Type_contiguous(0, MPI_INT, &empty));
    OK(MPI_Type_commit(&empty));
    /* 7 ints into 4 triples: 2 triples and one int */
    OK(MPI_Sendrecv(out, 7, MPI_INT, world_rank, 1, data, 4, triple, world_rank, 1, MPI_COMM_WORLD, &status));
    OK(MPI_Get_count(&status, MPI_INT, &count));
    EQ(count, 7);
    OK(MPI_Get_count(&status, triple, &count));
    EQ(count, MPI_UNDEFINED);
    OK(MPI_Get_elements(&status, triple, &count));
    EQ(count, 7);
    OK(MPI_Get_elements_x(&status, triple, &elements));
    EQ(elements, 7);
    OK(MPI_Get_count(&status, pair, &count));
    EQ(count, MPI_UNDEFINED);
    OK(MPI_Get_count(&status, MPI_BYTE, &count));
    EQ(count, 28);
    for (int i = 0; i < 12; i++)
        EQ(data[i], i < 7 ? i + 1 : 0);
    /* whole ones */
    OK(MPI_Sendrecv(out, 2, triple, world_rank, 1, data, 12, MPI_INT, world_rank, 1, MPI_COMM_WORLD, &status));
    OK(MPI_Get_count(&status, triple, &count));
    EQ(count, 2);
    OK(MPI_Get_count(&status, pair, &count));
    EQ(count, 3);
    OK(MPI_Get_elements(&status, pair, &count));
    EQ(count, 6);
    /* a type of size zero */
    OK(MPI_Sendrecv(NULL, 0, MPI_INT, world_rank, 1, data, 3, empty, world_rank, 1, MPI_COMM_WORLD, &status));
    OK(MPI_Get_count(&status, empty, &count));
    EQ(count, 0);
    /* what a user writes can be read back */
    OK(MPI_Status_set_elements(&status, triple, 6));
    OK(MPI_Get_elements(&status, triple, &count));
    EQ(count, 6);
    OK(MPI_Get_count(&status, triple, &count));
    EQ(count, 2);
    OK(MPI_Status_set_elements_x(&status, MPI_INT, 5));
    OK(MPI_Get_elements_x(&status, MPI_INT, &elements));
    EQ(elements, 5);
    OK(MPI_Status_set_cancelled(&status, 1));
    OK(MPI_Test_cancelled(&status, &flag));
    CHECK(flag);
    OK(MPI_Status_set_cancelled(&status, 0));
    OK(MPI_Test_cancelled(&status, &flag));
    CHECK(!flag);
    empty_statuses();
    OK(MPI_Type_free(&triple));
    OK(MPI_Type_free(&pair));
    OK(MPI_Type_free(&empty));
    return finish();
}
