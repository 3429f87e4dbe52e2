/* Waitany, waitsome, testany, testsome, testall: indices, statuses, null and inactive requests (MPI 5.0 section
 * 3.7.5). Rank 0 releases rank 1's messages one by one, so what is complete is known. */
#include "check.h"

enum { N = 8, GO = 100 };

/* Asks rank 1 for the message of one tag; it is on its way when this returns. */
static void ask_for(int tag) {
    OK(MPI_Send(&tag, 1, MPI_INT, 1, GO, MPI_COMM_WORLD));
}

static void post_all(int *value, MPI_Request *request) {
    for (int i = 0; i < N; i++) {
        value[i] = -1;
        OK(MPI_Irecv(&value[i], 1, MPI_INT, 1, i, MPI_COMM_WORLD, &request[i]));
    }
}

static void any(int testing) {
    static const int order[N] = {5, 0, 7, 2, 6, 1, 4, 3};
    int value[N], index, flag;
    MPI_Request request[N];
    MPI_Status status;
    post_all(value, request);
    if (testing) {
        OK(MPI_Testany(N, request, &index, &flag, &status));
        CHECK(!flag);
        EQ(index, MPI_UNDEFINED);
    }
    for (int k = 0; k < N; k++) {
        ask_for(order[k]);
        flag = 0;
        if (testing)
            while (!flag)
                OK(MPI_Testany(N, request, &index, &flag, &status));
        else
            OK(MPI_Waitany(N, request, &index, &status));
        EQ(index, order[k]);
        EQ(status.MPI_TAG, order[k]);
        EQ(status.MPI_SOURCE, 1);
        EQ(value[index], order[k] * 11);
        CHECK(request[index] == MPI_REQUEST_NULL);
    }
    /* All null: flag true, no index, empty status. */
    OK(MPI_Waitany(N, request, &index, &status));
    EQ(index, MPI_UNDEFINED);
    EQ(status.MPI_SOURCE, MPI_ANY_SOURCE);
    OK(MPI_Testany(N, request, &index, &flag, &status));
    CHECK(flag);
    EQ(index, MPI_UNDEFINED);
    OK(MPI_Waitany(0, NULL, &index, &status));
    EQ(index, MPI_UNDEFINED);
}

static void some(int testing) {
    int value[N], count, indices[N], seen = 0;
    MPI_Request request[N];
    MPI_Status status[N];
    post_all(value, request);
    if (testing) {
        OK(MPI_Testsome(N, request, &count, indices, status));
        EQ(count, 0);
    }
    for (int k = 0; k < N; k += 2) {
        ask_for(k);
        ask_for(k + 1);
        for (int got = 0; got < 2; got += count) {
            if (testing)
                OK(MPI_Testsome(N, request, &count, indices, status));
            else
                OK(MPI_Waitsome(N, request, &count, indices, status));
            CHECK(count >= (testing ? 0 : 1) && count <= 2);
            for (int i = 0; i < count; i++) {
                CHECK(indices[i] == k || indices[i] == k + 1);
                EQ(status[i].MPI_TAG, indices[i]);
                EQ(value[indices[i]], indices[i] * 11);
                seen |= 1 << indices[i];
            }
        }
    }
    EQ(seen, (1 << N) - 1);
    OK(MPI_Waitsome(N, request, &count, indices, status));
    EQ(count, MPI_UNDEFINED);
    OK(MPI_Testsome(N, request, &count, indices, MPI_STATUSES_IGNORE));
    EQ(count, MPI_UNDEFINED);
}

static void all(void) {
    int value[N], flag;
    MPI_Request request[N];
    MPI_Status status[N];
    post_all(value, request);
    for (int k = 0; k < N; k++) {
        for (int i = 0; i < 10; i++) {
            OK(MPI_Testall(N, request, &flag, status));
            CHECK(!flag);
        }
        /* None is freed before all are complete. */
        CHECK(request[0] != MPI_REQUEST_NULL);
        ask_for(N - 1 - k);
    }
    for (flag = 0; !flag;)
        OK(MPI_Testall(N, request, &flag, status));
    for (int i = 0; i < N; i++) {
        EQ(status[i].MPI_TAG, i);
        EQ(value[i], i * 11);
        CHECK(request[i] == MPI_REQUEST_NULL);
    }
    /* Null requests among them have empty statuses. */
    post_all(value, request);
    for (int k = 0; k < N; k++)
        ask_for(k);
    OK(MPI_Wait(&request[3], MPI_STATUS_IGNORE));
    OK(MPI_Waitall(N, request, status));
    EQ(status[3].MPI_SOURCE, MPI_ANY_SOURCE);
    EQ(status[3].MPI_TAG, MPI_ANY_TAG);
    EQ(status[4].MPI_TAG, 4);
    OK(MPI_Testall(N, request, &flag, MPI_STATUSES_IGNORE));
    CHECK(flag);
}

/* An inactive persistent request counts as null everywhere; a completed one becomes inactive, not null. */
static void inactive(void) {
    int value = -1, index, flag, count, indices[2];
    MPI_Request request[2] = {MPI_REQUEST_NULL, MPI_REQUEST_NULL};
    MPI_Status status[2];
    OK(MPI_Recv_init(&value, 1, MPI_INT, 1, 6, MPI_COMM_WORLD, &request[1]));
    OK(MPI_Waitany(2, request, &index, status));
    EQ(index, MPI_UNDEFINED);
    OK(MPI_Waitsome(2, request, &count, indices, status));
    EQ(count, MPI_UNDEFINED);
    OK(MPI_Start(&request[1]));
    OK(MPI_Testany(2, request, &index, &flag, status));
    CHECK(!flag);
    ask_for(6);
    OK(MPI_Waitany(2, request, &index, status));
    EQ(index, 1);
    EQ(value, 66);
    CHECK(request[1] != MPI_REQUEST_NULL);
    OK(MPI_Testall(2, request, &flag, status));
    CHECK(flag);
    OK(MPI_Request_free(&request[1]));
}

static void get_status(void) {
    int value = -1, flag = 1, count = 0;
    MPI_Request request;
    MPI_Status status;
    OK(MPI_Irecv(&value, 1, MPI_INT, 1, 2, MPI_COMM_WORLD, &request));
    OK(MPI_Request_get_status(request, &flag, &status));
    CHECK(!flag);
    ask_for(2);
    while (!flag)
        OK(MPI_Request_get_status(request, &flag, &status));
    EQ(status.MPI_TAG, 2);
    OK(MPI_Get_count(&status, MPI_INT, &count));
    EQ(count, 1);
    EQ(value, 22);
    CHECK(request != MPI_REQUEST_NULL);
    OK(MPI_Wait(&request, &status));
    EQ(status.MPI_TAG, 2);
    OK(MPI_Request_get_status(MPI_REQUEST_NULL, &flag, &status));
    CHECK(flag);
    EQ(status.MPI_SOURCE, MPI_ANY_SOURCE);
}

static void answer(void) {
    for (;;) {
        int tag, value;
        OK(MPI_Recv(&tag, 1, MPI_INT, 0, GO, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
        if (tag < 0)
            return;
        value = tag * 11;
        OK(MPI_Send(&value, 1, MPI_INT, 0, tag, MPI_COMM_WORLD));
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    need_ranks(2);
    if (world_rank == 0) {
        any(0);
        any(1);
        some(0);
        some(1);
        all();
        inactive();
        get_status();
        ask_for(-1);
    } else if (world_rank == 1) {
        answer();
    }
    return finish();
}
