/* Random traffic between all ranks, agreed on by one seed: kinds of sends and receives, sizes, tags and the order of
 * completion are drawn by lot. Arguments: seed, messages. */
#include "check.h"

enum { LARGEST = 300000, BATCH = 64 };

struct message {
    int from, to, tag, size, mode, posted_as, blocking;
};

static struct message draw(uint64_t *state) {
    static const int limits[] = {16, 64, 2000, 20000, 90000, LARGEST};
    struct message m;
    m.from = (int)(random_next(state) % (uint32_t)world_size);
    m.to = (int)(random_next(state) % (uint32_t)world_size);
    m.tag = (int)(random_next(state) % 4);
    m.size = (int)(random_next(state) % (uint32_t)(limits[random_next(state) % 6] + 1));
    m.mode = (int)(random_next(state) % 3);
    m.posted_as = (int)(random_next(state) % 2);
    m.blocking = (int)(random_next(state) % 4) == 0;
    return m;
}

static void start_send(const struct message *m, const void *data, MPI_Request *request) {
    if (m->mode == 0)
        OK(MPI_Issend(data, m->size, MPI_BYTE, m->to, m->tag, MPI_COMM_WORLD, request));
    else
        OK(MPI_Isend(data, m->size, MPI_BYTE, m->to, m->tag, MPI_COMM_WORLD, request));
}

/* One batch: everyone knows all messages, starts its own sends and receives, and completes them in an order of its
 * own. Within a pair and tag messages arrive in order, so the k-th receive gets the k-th message. */
static void batch(uint64_t *state, unsigned serial) {
    struct message plan[BATCH];
    void *data[2 * BATCH];
    int what[2 * BATCH], active = 0;
    MPI_Request request[2 * BATCH];
    for (int i = 0; i < BATCH; i++)
        plan[i] = draw(state);
    uint64_t own = serial * 977u + (unsigned)world_rank;
    int sends_first = (int)(random_next(&own) % 2);
    for (int phase = 0; phase < 2; phase++)
        for (int i = 0; i < BATCH; i++) {
            const struct message *m = &plan[i];
            int sending = (phase == 0) == sends_first;
            if (world_rank != (sending ? m->from : m->to))
                continue;
            data[active] = get_memory((size_t)m->size);
            what[active] = sending ? -1 : i;
            if (sending) {
                fill_pattern(data[active], (size_t)m->size, serial * BATCH + (unsigned)i);
                start_send(m, data[active], &request[active]);
            } else {
                OK(MPI_Irecv(data[active], m->size, MPI_BYTE, m->from, m->tag, MPI_COMM_WORLD, &request[active]));
            }
            active++;
        }
    for (int left = active; left > 0; left--) {
        int index;
        MPI_Status status;
        OK(MPI_Waitany(active, request, &index, &status));
        if (index == MPI_UNDEFINED) {
            CHECK_FAILED("%d requests are missing", left);
            break;
        }
        if (what[index] >= 0) {
            const struct message *m = &plan[what[index]];
            int count;
            OK(MPI_Get_count(&status, MPI_BYTE, &count));
            EQ(count, m->size);
            EQ(status.MPI_SOURCE, m->from);
            CHECK_PATTERN(data[index], (size_t)m->size, serial * BATCH + (unsigned)what[index]);
        }
        free(data[index]);
    }
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    int messages = argc > 2 ? atoi(argv[2]) : 2000;
    for (unsigned serial = 0; (int)serial < messages / BATCH; serial++)
        batch(&state, serial);
    return finish();
}
