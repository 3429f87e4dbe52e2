/* Wrong arguments give the right error class, and nothing else happens: afterwards all works (MPI 5.0 chapter 9). */
#include "check.h"

static MPI_Comm comm;
static int data[100];

static void arguments_of_messages(void) {
    MPI_Request request;
    MPI_Status status;
    FAILS(MPI_Send(data, 1, MPI_INT, world_size, 0, comm), MPI_ERR_RANK);
    FAILS(MPI_Send(data, 1, MPI_INT, -77, 0, comm), MPI_ERR_RANK);
    FAILS(MPI_Send(data, 1, MPI_INT, MPI_ANY_SOURCE, 0, comm), MPI_ERR_RANK);
    FAILS(MPI_Recv(data, 1, MPI_INT, world_size, 0, comm, &status), MPI_ERR_RANK);
    FAILS(MPI_Send(data, 1, MPI_INT, 0, -42, comm), MPI_ERR_TAG);
    FAILS(MPI_Send(data, 1, MPI_INT, 0, MPI_ANY_TAG, comm), MPI_ERR_TAG);
    FAILS(MPI_Recv(data, 1, MPI_INT, 0, -42, comm, &status), MPI_ERR_TAG);
    FAILS(MPI_Send(data, -1, MPI_INT, 0, 0, comm), MPI_ERR_COUNT);
    FAILS(MPI_Recv(data, -1, MPI_INT, 0, 0, comm, &status), MPI_ERR_COUNT);
    FAILS(MPI_Send(data, 1, MPI_DATATYPE_NULL, 0, 0, comm), MPI_ERR_TYPE);
    FAILS(MPI_Isend(data, 1, MPI_INT, world_size + 5, 0, comm, &request), MPI_ERR_RANK);
    FAILS(MPI_Irecv(data, -3, MPI_INT, 0, 0, comm, &request), MPI_ERR_COUNT);
    FAILS(MPI_Send_init(data, 1, MPI_INT, 0, -9, comm, &request), MPI_ERR_TAG);
    FAILS(MPI_Probe(world_size, 0, comm, &status), MPI_ERR_RANK);
    FAILS(MPI_Sendrecv(data, 1, MPI_INT, world_size, 0, data + 1, 1, MPI_INT, 0, 0, comm, &status), MPI_ERR_RANK);
    /* the largest tag is fine, and the value of MPI_TAG_UB is at least what the standard asks for */
    int *tag_ub = NULL, flag = 0;
    OK(MPI_Comm_get_attr(MPI_COMM_WORLD, MPI_TAG_UB, &tag_ub, &flag));
    CHECK(flag && *tag_ub >= 32767);
    OK(MPI_Sendrecv(data, 1, MPI_INT, 0, *tag_ub, data + 1, 1, MPI_INT, 0, *tag_ub, MPI_COMM_SELF, &status));
    EQ(status.MPI_TAG, *tag_ub);
    if (*tag_ub < 2147483647)
        FAILS(MPI_Send(data, 1, MPI_INT, 0, *tag_ub + 1, comm), MPI_ERR_TAG);
}

static void null_buffers(void) {
    MPI_Status status;
    FAILS(MPI_Send(NULL, 3, MPI_INT, 0, 0, comm), MPI_ERR_BUFFER);
    FAILS(MPI_Recv(NULL, 3, MPI_INT, 0, 0, comm, &status), MPI_ERR_BUFFER);
    FAILS(MPI_Bcast(NULL, 3, MPI_INT, 0, MPI_COMM_SELF), MPI_ERR_BUFFER);
    FAILS(MPI_Allreduce(NULL, data, 3, MPI_INT, MPI_SUM, MPI_COMM_SELF), MPI_ERR_BUFFER);
    FAILS(MPI_Allreduce(data, NULL, 3, MPI_INT, MPI_SUM, MPI_COMM_SELF), MPI_ERR_BUFFER);
    /* one buffer for two things */
    FAILS(MPI_Allreduce(data, data, 3, MPI_INT, MPI_SUM, MPI_COMM_SELF), MPI_ERR_BUFFER);
}

static void handles(void) {
    MPI_Comm freed;
    MPI_Datatype type, uncommitted;
    MPI_Group group;
    MPI_Request request, stale;
    int rank, size;
    FAILS(MPI_Comm_rank(MPI_COMM_NULL, &rank), MPI_ERR_COMM);
    OK(MPI_Comm_dup(comm, &freed));
    MPI_Comm copy = freed;
    OK(MPI_Comm_free(&freed));
    FAILS(MPI_Comm_size(copy, &size), MPI_ERR_COMM);
    FAILS(MPI_Send(data, 1, MPI_INT, 0, 0, copy), MPI_ERR_COMM);
    FAILS(MPI_Comm_free(&copy), MPI_ERR_COMM);
    OK(MPI_Type_contiguous(2, MPI_INT, &uncommitted));
    FAILS(MPI_Send(data, 1, uncommitted, 0, 0, comm), MPI_ERR_TYPE);
    type = uncommitted;
    OK(MPI_Type_free(&uncommitted));
    FAILS(MPI_Type_size(type, &size), MPI_ERR_TYPE);
    FAILS(MPI_Type_commit(&type), MPI_ERR_TYPE);
    type = MPI_INT;
    FAILS(MPI_Type_free(&type), MPI_ERR_TYPE);
    OK(MPI_Comm_group(comm, &group));
    MPI_Group other = group;
    OK(MPI_Group_free(&group));
    FAILS(MPI_Group_size(other, &size), MPI_ERR_GROUP);
    OK(MPI_Irecv(data, 1, MPI_INT, MPI_PROC_NULL, 0, comm, &request));
    stale = request;
    OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
    FAILS(MPI_Wait(&stale, MPI_STATUS_IGNORE), MPI_ERR_REQUEST);
    FAILS(MPI_Start(&request), MPI_ERR_REQUEST);
    FAILS(MPI_Cancel(&request), MPI_ERR_REQUEST);
    MPI_Op op = MPI_SUM;
    FAILS(MPI_Op_free(&op), MPI_ERR_OP);
    freed = MPI_COMM_WORLD;
    FAILS(MPI_Comm_free(&freed), MPI_ERR_COMM);
    freed = MPI_COMM_SELF;
    FAILS(MPI_Comm_free(&freed), MPI_ERR_COMM);
}

/* Values that no handle has. */
static void foreign(void) {
    int size;
    static const uintptr_t values[] = {0x7ffffff1, 0x12345678, 0x40000000, 4095, 1};
    for (int i = 0; i < 5; i++) {
        FAILS(MPI_Comm_size((MPI_Comm)values[i], &size), MPI_ERR_COMM);
        FAILS(MPI_Type_size((MPI_Datatype)values[i], &size), MPI_ERR_TYPE);
        FAILS(MPI_Group_size((MPI_Group)values[i], &size), MPI_ERR_GROUP);
        MPI_Request request = (MPI_Request)values[i];
        FAILS(MPI_Wait(&request, MPI_STATUS_IGNORE), MPI_ERR_REQUEST);
        FAILS(MPI_Allreduce(&data[0], &data[1], 1, MPI_INT, (MPI_Op)values[i], MPI_COMM_SELF), MPI_ERR_OP);
        FAILS(MPI_Allreduce(&data[0], &data[1], 1, (MPI_Datatype)values[i], MPI_SUM, MPI_COMM_SELF), MPI_ERR_TYPE);
    }
    /* a handle of another kind */
    FAILS(MPI_Comm_size((MPI_Comm)(uintptr_t)MPI_INT, &size), MPI_ERR_COMM);
    FAILS(MPI_Type_size((MPI_Datatype)(uintptr_t)MPI_COMM_WORLD, &size), MPI_ERR_TYPE);
}

static void collectives(void) {
    FAILS(MPI_Bcast(data, 1, MPI_INT, world_size, comm), MPI_ERR_ROOT);
    FAILS(MPI_Bcast(data, 1, MPI_INT, -1, comm), MPI_ERR_ROOT);
    FAILS(MPI_Reduce(data, data + 1, 1, MPI_INT, MPI_SUM, world_size, comm), MPI_ERR_ROOT);
    FAILS(MPI_Gather(data, -1, MPI_INT, data + 50, 1, MPI_INT, 0, comm), MPI_ERR_COUNT);
    FAILS(MPI_Allreduce(data, data + 50, 1, MPI_DOUBLE, MPI_BAND, MPI_COMM_SELF), MPI_ERR_OP);
    FAILS(MPI_Allreduce(data, data + 50, 1, MPI_BYTE, MPI_SUM, MPI_COMM_SELF), MPI_ERR_OP);
    FAILS(MPI_Allreduce(data, data + 50, 1, MPI_C_FLOAT_COMPLEX, MPI_MAX, MPI_COMM_SELF), MPI_ERR_OP);
    FAILS(MPI_Allreduce(data, data + 50, 1, MPI_INT, MPI_MINLOC, MPI_COMM_SELF), MPI_ERR_OP);
    FAILS(MPI_Allreduce(data, data + 50, 1, MPI_INT, MPI_OP_NULL, MPI_COMM_SELF), MPI_ERR_OP);
    FAILS(MPI_Allreduce(data, data + 50, -1, MPI_INT, MPI_SUM, MPI_COMM_SELF), MPI_ERR_COUNT);
}

static void objects(void) {
    MPI_Comm made;
    MPI_Datatype type;
    MPI_Group group, part;
    int ranks[2] = {0, world_size}, twice[2] = {0, 0}, lengths[1] = {-1}, at[1] = {0};
    OK(MPI_Comm_group(comm, &group));
    FAILS(MPI_Group_incl(group, 2, ranks, &part), MPI_ERR_RANK);
    FAILS(MPI_Group_incl(group, 2, twice, &part), MPI_ERR_RANK);
    OK(MPI_Group_free(&group));
    FAILS(MPI_Comm_split(MPI_COMM_SELF, -5, 0, &made), MPI_ERR_ARG);
    FAILS(MPI_Type_contiguous(-1, MPI_INT, &type), MPI_ERR_COUNT);
    FAILS(MPI_Type_indexed(1, lengths, at, MPI_INT, &type), MPI_ERR_ARG);
    FAILS(MPI_Comm_rank(comm, NULL), MPI_ERR_ARG);
    OK(MPI_Buffer_attach(data, sizeof data));
    FAILS(MPI_Buffer_attach(data, sizeof data), MPI_ERR_BUFFER);
    void *detached;
    int size;
    OK(MPI_Buffer_detach(&detached, &size));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &comm));
    /* Errors on no communicator go to MPI_COMM_SELF's handler (section 9.3); before MPI 4.0 to MPI_COMM_WORLD's. */
    OK(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
    OK(MPI_Comm_set_errhandler(MPI_COMM_SELF, MPI_ERRORS_RETURN));
    arguments_of_messages();
    null_buffers();
    handles();
    foreign();
    collectives();
    objects();
    /* nothing is broken */
    int sum = 0, one = 1;
    OK(MPI_Allreduce(&one, &sum, 1, MPI_INT, MPI_SUM, comm));
    EQ(sum, world_size);
    OK(MPI_Comm_free(&comm));
    return finish();
}
