/* Partitioned communication around a ring: both sides cut the message as they like, partitions become ready in any order,
 * rounds repeat (MPI 5.0 chapter 4). */
#include "check.h"

enum { ROUNDS = 4 };

static int left, right;
static uint64_t lots = 17;

/* 0 … count-1 in a drawn order. */
static void shuffle(int *order, int count) {
    for (int i = 0; i < count; i++) {
        int j = (int)(random_next(&lots) % (unsigned)(i + 1));
        order[i] = order[j];
        order[j] = i;
    }
}

static void make_ready(int how, int partitions, const int *order, MPI_Request request) {
    int middle = partitions / 2;
    switch (how % 3) {
    case 0:
        for (int i = 0; i < partitions; i++)
            OK(MPI_Pready(order[i], request));
        break;
    case 1:
        if (middle > 0)
            OK(MPI_Pready_range(partitions - middle, partitions - 1, request));
        OK(MPI_Pready_range(0, partitions - middle - 1, request));
        break;
    default:
        OK(MPI_Pready_list(middle, order, request));
        OK(MPI_Pready_list(partitions - middle, order + middle, request));
    }
}

/* `total` integers, in `out_parts` and `in_parts` partitions. */
static void ring(int total, int out_parts, int in_parts) {
    int *out = (int *)get_memory((size_t)total * sizeof(int)), *in = (int *)get_memory((size_t)total * sizeof(int));
    int *order = (int *)get_memory((size_t)out_parts * sizeof(int));
    MPI_Request request[2];
    MPI_Status status[2];
    OK(MPI_Psend_init(out, out_parts, total / out_parts, MPI_INT, right, 9, MPI_COMM_WORLD, MPI_INFO_NULL, &request[0]));
    OK(MPI_Precv_init_c(in, in_parts, total / in_parts, MPI_INT, left, 9, MPI_COMM_WORLD, MPI_INFO_NULL, &request[1]));
    for (int round = 0; round < ROUNDS; round++) {
        int flag = 0, count = -1;
        for (int i = 0; i < total; i++)
            in[i] = -1;
        if (round == 1) {
            OK(MPI_Startall(2, request));
        } else {
            OK(MPI_Start(&request[round % 2]));
            OK(MPI_Start(&request[1 - round % 2]));
        }
        shuffle(order, out_parts);
        for (int i = 0; i < total; i++)
            out[i] = world_rank * 1000003 + round * 101 + i;
        make_ready(round + out_parts, out_parts, order, request[0]);
        if (round == 2) {
            /* Each partition alone: what it says is there is there. */
            for (int part = in_parts - 1; part >= 0; part--) {
                for (flag = 0; !flag;)
                    OK(MPI_Parrived(request[1], part, &flag));
                for (int i = part * (total / in_parts); i < (part + 1) * (total / in_parts); i++)
                    if (in[i] != left * 1000003 + round * 101 + i) {
                        CHECK_FAILED("%d of %d: %d to %d partitions, partition %d", i, total, out_parts, in_parts, part);
                        break;
                    }
            }
            for (flag = 0; !flag;)
                OK(MPI_Testall(2, request, &flag, status));
        } else {
            OK(MPI_Waitall(2, request, status));
        }
        CHECK(request[0] != MPI_REQUEST_NULL && request[1] != MPI_REQUEST_NULL);
        EQ(status[1].MPI_SOURCE, left);
        EQ(status[1].MPI_TAG, 9);
        OK(MPI_Get_count(&status[1], MPI_INT, &count));
        EQ(count, total);
        for (int i = 0; i < total; i++)
            if (in[i] != left * 1000003 + round * 101 + i) {
                CHECK_FAILED("round %d, %d to %d partitions: %d of %d is %d", round, out_parts, in_parts, i, total, in[i]);
                break;
            }
        OK(MPI_Parrived(request[1], 0, &flag));
        CHECK_MSG(flag, "an inactive request has a partition that has not arrived");
    }
    OK(MPI_Request_free(&request[0]));
    OK(MPI_Request_free(&request[1]));
    CHECK(request[0] == MPI_REQUEST_NULL && request[1] == MPI_REQUEST_NULL);
    free(order);
    free(in);
    free(out);
}

/* Items with holes on one side, packed ones on the other. */
static void columns(void) {
    enum { ROWS = 300, COLUMNS = 7 };
    static double out[ROWS][COLUMNS], in[COLUMNS][ROWS];
    MPI_Datatype column, spaced;
    MPI_Request request[2];
    OK(MPI_Type_vector(ROWS, 1, COLUMNS, MPI_DOUBLE, &column));
    OK(MPI_Type_create_resized(column, 0, sizeof(double), &spaced));
    OK(MPI_Type_commit(&spaced));
    OK(MPI_Psend_init(out, COLUMNS, 1, spaced, right, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request[0]));
    OK(MPI_Precv_init(in, 10, ROWS * COLUMNS / 10, MPI_DOUBLE, left, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request[1]));
    OK(MPI_Type_free(&spaced));
    OK(MPI_Type_free(&column));
    OK(MPI_Startall(2, request));
    for (int c = COLUMNS - 1; c >= 0; c--) {
        for (int r = 0; r < ROWS; r++)
            out[r][c] = world_rank + 10 * r + 0.125 * c;
        OK(MPI_Pready(c, request[0]));
    }
    OK(MPI_Waitall(2, request, MPI_STATUSES_IGNORE));
    for (int c = 0; c < COLUMNS; c++)
        for (int r = 0; r < ROWS; r++)
            CHECK(in[c][r] == left + 10 * r + 0.125 * c);
    OK(MPI_Request_free(&request[0]));
    OK(MPI_Request_free(&request[1]));
}

static void nobody_and_nothing(void) {
    MPI_Request request[4];
    MPI_Status status[4];
    int value = 5, count = -1, flag = 0;
    OK(MPI_Psend_init(&value, 1, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request[0]));
    OK(MPI_Precv_init(&value, 1, 1, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD, MPI_INFO_NULL, &request[1]));
    OK(MPI_Psend_init(NULL, 3, 0, MPI_INT, right, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &request[2]));
    OK(MPI_Precv_init(NULL, 2, 0, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_INFO_NULL, &request[3]));
    for (int round = 0; round < 3; round++) {
        OK(MPI_Startall(4, request));
        OK(MPI_Pready(0, request[0]));
        OK(MPI_Pready_range(0, 2, request[2]));
        OK(MPI_Waitall(4, request, status));
        EQ(status[1].MPI_SOURCE, MPI_PROC_NULL);
        EQ(status[3].MPI_SOURCE, left);
        OK(MPI_Get_count(&status[3], MPI_INT, &count));
        EQ(count, 0);
        EQ(value, 5);
    }
    for (int i = 0; i < 4; i++)
        OK(MPI_Request_free(&request[i]));
    OK(MPI_Parrived(MPI_REQUEST_NULL, 0, &flag));
    EQ(flag, 1);
}

/* A message without data arrives when its sender says so, too. */
static void nothing_waits_for_its_sender(void) {
    MPI_Request request[2];
    OK(MPI_Psend_init(NULL, 2, 0, MPI_INT, 0, 1, MPI_COMM_SELF, MPI_INFO_NULL, &request[0]));
    OK(MPI_Precv_init(NULL, 2, 0, MPI_INT, 0, 1, MPI_COMM_SELF, MPI_INFO_NULL, &request[1]));
    for (int round = 0; round < 3; round++) {
        int flag = -1;
        OK(MPI_Start(&request[1]));
        OK(MPI_Parrived(request[1], 0, &flag));
        EQ(flag, 0);
        OK(MPI_Start(&request[0]));
        OK(MPI_Pready(1, request[0]));
        OK(MPI_Test(&request[1], &flag, MPI_STATUS_IGNORE));
        EQ(flag, 0);
        OK(MPI_Pready(0, request[0]));
        OK(MPI_Waitall(2, request, MPI_STATUSES_IGNORE));
        OK(MPI_Parrived(request[1], 1, &flag));
        EQ(flag, 1);
    }
    for (int i = 0; i < 2; i++)
        OK(MPI_Request_free(&request[i]));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    right = (world_rank + 1) % world_size;
    left = (world_rank + world_size - 1) % world_size;
    ring(1, 1, 1);
    ring(12, 3, 4);
    ring(12, 12, 1);
    ring(12, 1, 12);
    ring(6000, 60, 75);
    ring(60000, 16, 24);
    ring(60000, 2000, 3);
    ring(300000, 2, 5);
    columns();
    nobody_and_nothing();
    nothing_waits_for_its_sender();
    return finish();
}
