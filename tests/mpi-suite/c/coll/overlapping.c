/* Many nonblocking collectives at once on one communicator, completed in another order on every rank, with
 * point-to-point messages and blocking collectives of other communicators in between (MPI 5.0 section 6.12). */
#include "check.h"

enum { OPS_IN_FLIGHT = 24, N = 2500, ROUNDS = 12 };

struct slot {
    int kind, root, n;
    int *in, *out;
};

static int kinds(int k, int round) {
    return (k * 5 + round) % 7;
}

static void start(struct slot *s, MPI_Comm comm, MPI_Request *request) {
    size_t room = (size_t)N * (size_t)world_size;
    for (size_t i = 0; i < room; i++) {
        s->in[i] = (int)i % 100 + world_rank * 1000 + s->root;
        s->out[i] = -1;
    }
    switch (s->kind) {
    case 0: OK(MPI_Ibarrier(comm, request)); break;
    case 1: OK(MPI_Ibcast(s->in, s->n, MPI_INT, s->root, comm, request)); break;
    case 2: OK(MPI_Iallreduce(s->in, s->out, s->n, MPI_INT, MPI_SUM, comm, request)); break;
    case 3: OK(MPI_Ireduce(s->in, s->out, s->n, MPI_INT, MPI_MAX, s->root, comm, request)); break;
    case 4: OK(MPI_Iallgather(s->in, s->n, MPI_INT, s->out, s->n, MPI_INT, comm, request)); break;
    case 5: OK(MPI_Ialltoall(s->in, s->n, MPI_INT, s->out, s->n, MPI_INT, comm, request)); break;
    case 6: OK(MPI_Iscan(s->in, s->out, s->n, MPI_INT, MPI_SUM, comm, request)); break;
    }
}

static int value(int i, int rank, int root) {
    return i % 100 + rank * 1000 + root;
}

static int sum(int i, int ranks, int root) {
    return ranks * (i % 100 + root) + 1000 * ranks * (ranks - 1) / 2;
}

static int expected(const struct slot *s, int i) {
    switch (s->kind) {
    case 1: return value(i, s->root, s->root);
    case 2: return sum(i, world_size, s->root);
    case 3: return world_rank == s->root ? value(i, world_size - 1, s->root) : -1;
    case 4: return value(i % s->n, i / s->n, s->root);
    case 5: return value(world_rank * s->n + i % s->n, i / s->n, s->root);
    case 6: return sum(i, world_rank + 1, s->root);
    default: return -1;
    }
}

static void verify(const struct slot *s, int k) {
    int length = s->kind == 4 || s->kind == 5 ? s->n * world_size : s->n;
    const int *at = s->kind == 1 ? s->in : s->out;
    for (int i = 0; s->kind != 0 && i < length; i++)
        if (at[i] != expected(s, i)) {
            CHECK_FAILED("operation %d (kind %d, root %d, %d ints): %d at %d, expected %d", k, s->kind, s->root, s->n,
                         at[i], i, expected(s, i));
            return;
        }
}

/* Completes the requests in an order that differs between ranks, now by waiting, now by testing. */
static void complete(MPI_Request *request, int round) {
    uint64_t lot = (uint64_t)(world_rank * 131 + round);
    int order[OPS_IN_FLIGHT], flag;
    for (int i = 0; i < OPS_IN_FLIGHT; i++)
        order[i] = i;
    for (int i = OPS_IN_FLIGHT - 1; i > 0; i--) {
        int j = (int)(random_next(&lot) % (uint32_t)(i + 1)), swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    if (round % 3 == 2) {
        OK(MPI_Waitall(OPS_IN_FLIGHT, request, MPI_STATUSES_IGNORE));
        return;
    }
    for (int i = 0; i < OPS_IN_FLIGHT; i++) {
        if (round % 3 == 0)
            OK(MPI_Wait(&request[order[i]], MPI_STATUS_IGNORE));
        else
            for (flag = 0; !flag;)
                OK(MPI_Test(&request[order[i]], &flag, MPI_STATUS_IGNORE));
    }
}

/* Blocking and nonblocking calls never match (section 6.12), so that one member may start a nonblocking one before a barrier which the
   others pass first; the standard does not ask for that, but some programs do it. */
static void crossing_forms(void) {
    for (int root = 0; root < world_size; root++) {
        int mine = world_rank == root ? 11 : 13, flag = -1;
        int in = mine, out = -1;
        MPI_Request request;
        if (world_rank != root)
            OK(MPI_Barrier(MPI_COMM_WORLD));
        OK(MPI_Iallreduce(&in, &out, 1, MPI_INT, MPI_BAND, MPI_COMM_WORLD, &request));
        if (world_rank == root) {
            OK(MPI_Test(&request, &flag, MPI_STATUS_IGNORE));
            CHECK(!flag || world_size == 1);
            OK(MPI_Barrier(MPI_COMM_WORLD));
        }
        OK(MPI_Wait(&request, MPI_STATUS_IGNORE));
        EQ(out, world_size == 1 ? 11 : 9);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    struct slot slot[OPS_IN_FLIGHT];
    MPI_Request request[OPS_IN_FLIGHT];
    MPI_Comm other;
    OK(MPI_Comm_dup(MPI_COMM_WORLD, &other));
    for (int k = 0; k < OPS_IN_FLIGHT; k++) {
        slot[k].in = get_memory((size_t)N * (size_t)world_size * sizeof(int));
        slot[k].out = get_memory((size_t)N * (size_t)world_size * sizeof(int));
    }
    int right = (world_rank + 1) % world_size, left = (world_rank + world_size - 1) % world_size;
    for (int round = 0; round < ROUNDS; round++) {
        for (int k = 0; k < OPS_IN_FLIGHT; k++) {
            slot[k].kind = kinds(k, round);
            slot[k].root = (k + round) % world_size;
            slot[k].n = k % 4 == 3 ? N : 1 + k * 9;
            start(&slot[k], MPI_COMM_WORLD, &request[k]);
            if (k % 8 == 5) {
                int got = -1, total = 0;
                OK(MPI_Sendrecv(&world_rank, 1, MPI_INT, right, k, &got, 1, MPI_INT, left, k, MPI_COMM_WORLD,
                                MPI_STATUS_IGNORE));
                EQ(got, left);
                OK(MPI_Allreduce(&world_rank, &total, 1, MPI_INT, MPI_SUM, other));
                EQ(total, world_size * (world_size - 1) / 2);
            }
        }
        complete(request, round);
        for (int k = 0; k < OPS_IN_FLIGHT; k++)
            verify(&slot[k], k);
    }
    for (int k = 0; k < OPS_IN_FLIGHT; k++) {
        free(slot[k].in);
        free(slot[k].out);
    }
    OK(MPI_Comm_free(&other));
    crossing_forms();
    return finish();
}
