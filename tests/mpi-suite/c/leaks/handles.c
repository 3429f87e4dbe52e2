/* HPVM_REPORT_LEAKS=1: what the first argument names is forgotten on rank 0, and told when MPI is finalised. The manifest has
 * the texts. */
#include "check.h"

static int data[4];

static void sum(void *in, void *inout, int *len, MPI_Datatype *type) {
    (void)type;
    for (int i = 0; i < *len; i++)
        ((int *)inout)[i] += ((int *)in)[i];
}

static void handler(MPI_Comm *comm, int *code, ...) {
    (void)comm;
    (void)code;
}

static void objects(void) {
    MPI_Group group;
    MPI_Datatype types[2];
    MPI_Op op;
    MPI_Info info;
    MPI_Errhandler errhandler;
    int keyval;
    MPI_Comm_group(MPI_COMM_WORLD, &group);
    MPI_Type_vector(3, 1, 2, MPI_INT, &types[0]);
    MPI_Type_contiguous(5, MPI_DOUBLE, &types[1]);
    MPI_Type_set_name(types[1], "five");
    MPI_Op_create(sum, 1, &op);
    MPI_Info_create(&info);
    MPI_Comm_create_errhandler(handler, &errhandler);
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &keyval, NULL);
}

/* All ranks make them, rank 0 forgets them. */
static void comms(void) {
    MPI_Comm comms[2];
    MPI_Comm_dup(MPI_COMM_WORLD, &comms[0]);
    MPI_Comm_split(MPI_COMM_WORLD, world_rank, 0, &comms[1]);
    MPI_Comm_set_name(comms[0], "solver");
    if (world_rank > 0) {
        MPI_Comm_free(&comms[0]);
        MPI_Comm_free(&comms[1]);
    }
}

static void requests(void) {
    MPI_Request requests[4];
    MPI_Message message;
    if (world_rank > 0) {
        MPI_Recv(data, 1, MPI_INT, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Send(data, 1, MPI_INT, 0, 8, MPI_COMM_WORLD);
        MPI_Ibarrier(MPI_COMM_WORLD, &requests[0]);
        MPI_Wait(&requests[0], MPI_STATUS_IGNORE);
        return;
    }
    MPI_Isend(data, 1, MPI_INT, 1, 7, MPI_COMM_WORLD, &requests[0]);
    MPI_Mprobe(1, 8, MPI_COMM_WORLD, &message, MPI_STATUS_IGNORE);
    MPI_Irecv(data, 1, MPI_INT, 1, 9, MPI_COMM_WORLD, &requests[1]);
    MPI_Recv_init(data, 1, MPI_INT, 1, 10, MPI_COMM_WORLD, &requests[2]);
    MPI_Ibarrier(MPI_COMM_WORLD, &requests[3]);
}

/* Everything is given back, by the ways there are. */
static void nothing(void) {
    MPI_Comm comm, split;
    MPI_Group group;
    MPI_Datatype type;
    MPI_Request request;
    MPI_Errhandler errhandler;
    int keyval;
    MPI_Comm_dup(MPI_COMM_WORLD, &comm);
    MPI_Comm_split(comm, world_rank % 2, 0, &split);
    MPI_Comm_create_keyval(MPI_COMM_NULL_COPY_FN, MPI_COMM_NULL_DELETE_FN, &keyval, NULL);
    MPI_Comm_set_attr(comm, keyval, data);
    MPI_Comm_free_keyval(&keyval);
    MPI_Comm_group(comm, &group);
    MPI_Group_free(&group);
    MPI_Comm_create_errhandler(handler, &errhandler);
    MPI_Comm_set_errhandler(comm, errhandler);
    MPI_Errhandler_free(&errhandler);
    MPI_Type_vector(3, 1, 2, MPI_INT, &type);
    MPI_Type_commit(&type);
    MPI_Type_free(&type);
    MPI_Type_create_f90_integer(5, &type);
    MPI_Irecv(data, 1, MPI_INT, MPI_PROC_NULL, 9, comm, &request);
    MPI_Request_free(&request);
    MPI_Ibarrier(comm, &request);
    MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Comm_free(&split);
    MPI_Comm_free(&comm);
}

static void session(void) {
    MPI_Session session;
    MPI_Group group;
    MPI_Session_init(MPI_INFO_NULL, MPI_ERRORS_RETURN, &session);
    MPI_Group_from_session_pset(session, "mpi://SELF", &group);
}

/* A tool asks instead of the environment. */
static void ask(int wanted) {
    MPI_T_cvar_handle handle;
    int provided, index, count;
    MPI_T_init_thread(MPI_THREAD_SINGLE, &provided);
    MPI_T_cvar_get_index("hpvm_report_leaks", &index);
    MPI_T_cvar_handle_alloc(index, NULL, &handle, &count);
    MPI_T_cvar_write(handle, &wanted);
    MPI_T_finalize();
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    begin(&argc, &argv);
    if (argc > 2)
        ask(atoi(argv[2]));
    if (strcmp(what, "objects") == 0 && world_rank == 0)
        objects();
    else if (strcmp(what, "comms") == 0)
        comms();
    else if (strcmp(what, "requests") == 0)
        requests();
    else if (strcmp(what, "session") == 0 && world_rank == 0)
        session();
    else if (strcmp(what, "nothing") == 0)
        nothing();
    MPI_Finalize();
    return 0;
}
