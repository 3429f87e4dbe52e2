/* One mistake per run, named by the first argument, with the default error handler: the job must end at once, with a
 * text that names what a person needs, and a status that is not 0. The manifest has the texts. */
#include "check.h"

#include <signal.h>
#include <unistd.h>

static int data[100];

static void both_wait(void) {
    MPI_Recv(data, 1, MPI_INT, MPI_ANY_SOURCE, 4711, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

static void stale_request(void) {
    MPI_Request request, copy;
    MPI_Irecv(data, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, &request);
    copy = request;
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Wait(&copy, MPI_STATUS_IGNORE);
}

static void freed_comm(void) {
    MPI_Comm comm, copy;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    copy = comm;
    MPI_Comm_free(&comm);
    MPI_Barrier(copy);
}

static void freed_type(void) {
    MPI_Datatype type, copy;
    MPI_Type_vector(3, 1, 2, MPI_INT, &type);
    MPI_Type_commit(&type);
    copy = type;
    MPI_Type_free(&type);
    MPI_Send(data, 1, copy, 0, 0, MPI_COMM_WORLD);
}

static void freed_group(void) {
    MPI_Group group, copy;
    int size;
    MPI_Comm_group(MPI_COMM_WORLD, &group);
    copy = group;
    MPI_Group_free(&group);
    MPI_Group_size(copy, &size);
}

static void freed_op(void) {
    MPI_Op op, copy;
    MPI_Op_create((MPI_User_function *)both_wait, 1, &op);
    copy = op;
    MPI_Op_free(&op);
    MPI_Allreduce(data, data + 1, 1, MPI_INT, copy, MPI_COMM_WORLD);
}

static void uncommitted(void) {
    MPI_Datatype type;
    MPI_Type_vector(3, 1, 2, MPI_INT, &type);
    MPI_Send(data, 1, type, 0, 0, MPI_COMM_WORLD);
}

static void truncated(int sent, int room) {
    if (world_rank == 0) {
        MPI_Send(data, sent, MPI_BYTE, 1, 17, MPI_COMM_WORLD);
        both_wait();
    } else {
        MPI_Recv(data, room, MPI_BYTE, 0, 17, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

static void truncated_large(void) {
    char *large = get_memory(1000000);
    if (world_rank == 0) {
        MPI_Send(large, 1000000, MPI_BYTE, 1, 17, MPI_COMM_WORLD);
        both_wait();
    } else {
        MPI_Recv(large, 123456, MPI_BYTE, 0, 17, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
}

/* The ranks disagree about which collective comes next, or about how much. */
static void mismatch(const char *what) {
    int first = world_rank == 0;
    if (strcmp(what, "kind") == 0) {
        if (first)
            MPI_Bcast(data, 10, MPI_INT, 0, MPI_COMM_WORLD);
        else
            MPI_Allreduce(data, data + 50, 10, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
    } else if (strcmp(what, "bcast") == 0) {
        MPI_Bcast(data, first ? 20 : 10, MPI_INT, 0, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
    } else if (strcmp(what, "root") == 0) {
        /* A message of rank 2 is for rank 3 either way. */
        MPI_Bcast(data, 10, MPI_INT, world_rank == 3 ? 2 : 0, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
    } else {
        MPI_Allreduce(data, data + 50, first ? 20 : 10, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        MPI_Barrier(MPI_COMM_WORLD);
    }
}

static void initialised(const char *what) {
    if (strcmp(what, "wrong_rank") == 0)
        MPI_Send(data, 1, MPI_INT, 99, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "negative_tag") == 0)
        MPI_Send(data, 1, MPI_INT, 0, -42, MPI_COMM_WORLD);
    else if (strcmp(what, "negative_count") == 0)
        MPI_Recv(data, -3, MPI_INT, 0, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    else if (strcmp(what, "negative_count_coll") == 0)
        MPI_Reduce(data, data + 50, -4, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "any_source_send") == 0)
        MPI_Send(data, 1, MPI_INT, MPI_ANY_SOURCE, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "null_recv_buffer") == 0)
        MPI_Irecv(NULL, 5, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD, &(MPI_Request){0});
    else if (strcmp(what, "in_place_send") == 0)
        MPI_Send(MPI_IN_PLACE, 5, MPI_INT, 0, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "same_buffer") == 0)
        MPI_Allreduce(data, data, 5, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    else if (strcmp(what, "null_type") == 0)
        MPI_Send(data, 5, MPI_DATATYPE_NULL, 0, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "freed_type") == 0)
        freed_type();
    else if (strcmp(what, "freed_group") == 0)
        freed_group();
    else if (strcmp(what, "freed_op") == 0)
        freed_op();
    else if (strcmp(what, "null_buffer") == 0)
        MPI_Send(NULL, 5, MPI_INT, 0, 0, MPI_COMM_WORLD);
    else if (strcmp(what, "wrong_root") == 0)
        MPI_Bcast(data, 1, MPI_INT, 7, MPI_COMM_WORLD);
    else if (strcmp(what, "wrong_op") == 0)
        MPI_Allreduce(data, data + 1, 1, MPI_DOUBLE, MPI_BAND, MPI_COMM_WORLD);
    else if (strcmp(what, "null_comm") == 0)
        MPI_Barrier(MPI_COMM_NULL);
    else if (strcmp(what, "freed_comm") == 0)
        freed_comm();
    else if (strcmp(what, "foreign_comm") == 0)
        MPI_Barrier((MPI_Comm)(uintptr_t)0x12345678);
    else if (strcmp(what, "type_as_comm") == 0)
        MPI_Barrier((MPI_Comm)(uintptr_t)MPI_INT);
    else if (strcmp(what, "stale_request") == 0)
        stale_request();
    else if (strcmp(what, "uncommitted") == 0)
        uncommitted();
    else if (strcmp(what, "truncated") == 0)
        truncated(48, 12);
    else if (strcmp(what, "truncated_large") == 0)
        truncated_large();
    else if (strncmp(what, "mismatch_", 9) == 0)
        mismatch(what + 9);
    else if (strcmp(what, "init_twice") == 0)
        MPI_Init(NULL, NULL);
    else
        fprintf(stderr, "no mistake \"%s\"\n", what);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    int rank;
    if (strcmp(what, "send_before_init") == 0) {
        MPI_Send(data, 1, MPI_INT, 0, 0, MPI_COMM_WORLD);
        return 0;
    }
    if (strcmp(what, "before_init") == 0) {
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        return 0;
    }
    begin(&argc, &argv);
    if (strcmp(what, "after_finalize") == 0) {
        MPI_Finalize();
        MPI_Barrier(MPI_COMM_WORLD);
        return 0;
    }
    if (strcmp(what, "finalize_twice") == 0) {
        MPI_Finalize();
        MPI_Finalize();
        return 0;
    }
    initialised(what);
    /* Not reached: a mistake that was overlooked ends with 0, which the manifest does not accept. */
    MPI_Finalize();
    return 0;
}
