/* What TCP gives between two hosts, without any MPI: a ping-pong on one connection, and windows of 64 messages over one,
 * two and four. Both sides look at their sockets again and again, and never sleep.
 *
 *   tcp serve ADDRESS PORT        tcp call ADDRESS PORT      the latter prints one JSON object */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 4, WINDOW = 64, LARGEST = 4 << 20, CHUNK = 64 << 10, BATCHES = 5, BATCHES_LONG = 3 };
enum { QUIT, PING_PONG, STREAM };
/* Whoever is left alone ends: nobody waits that long for the next order, on a busy machine neither. */
enum { ALONE_SECONDS = 60 };

/* What the caller asks for, on the first connection: so many repetitions of something. */
struct order {
    int what, repetitions, connections, bytes;
};

static int connection[CONNECTIONS];
static char *out, *in;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* As the MPI programs do. */
static void pin(int nth) {
    cpu_set_t allowed, mine;
    int seen = 0;
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
        return;
    for (int core = 0; core < CPU_SETSIZE; core++)
        if (CPU_ISSET(core, &allowed) && seen++ == nth % CPU_COUNT(&allowed))
            CPU_SET(core, &mine);
    sched_setaffinity(0, sizeof mine, &mine);
}

static size_t send_some(int fd, const char *from, size_t bytes) {
    ssize_t moved = send(fd, from, bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (moved < 0 && errno != EAGAIN && errno != EINTR)
        fail("send");
    return moved > 0 ? (size_t)moved : 0;
}

static size_t receive_some(int fd, char *to, size_t bytes) {
    ssize_t moved = recv(fd, to, bytes, MSG_DONTWAIT);
    if (moved == 0 || (moved < 0 && errno != EAGAIN && errno != EINTR))
        fail("recv");
    return moved > 0 ? (size_t)moved : 0;
}

static void send_all(int fd, const void *from, size_t bytes) {
    for (size_t done = 0; done < bytes;)
        done += send_some(fd, (const char *)from + done, bytes - done);
}

static void receive_all(int fd, void *to, size_t bytes) {
    for (size_t done = 0; done < bytes;)
        done += receive_some(fd, (char *)to + done, bytes - done);
}

/* A window, the same part of it over each connection, in pieces of at most `piece` bytes. */
static void window(int sends, int connections, size_t bytes, size_t piece) {
    size_t left[CONNECTIONS], all = bytes * WINDOW;
    for (int c = 0; c < connections; c++)
        left[c] = all / (size_t)connections;
    for (all = left[0] * (size_t)connections; all > 0;)
        for (int c = 0; c < connections; c++) {
            size_t wanted = left[c] < piece ? left[c] : piece;
            if (wanted == 0)
                continue;
            size_t moved = sends ? send_some(connection[c], out, wanted) : receive_some(connection[c], in, wanted);
            left[c] -= moved;
            all -= moved;
        }
}

static void serve_orders(void) {
    struct order order;
    char done = 1;
    for (;;) {
        receive_all(connection[0], &order, sizeof order);
        alarm(ALONE_SECONDS);
        size_t bytes = (size_t)order.bytes;
        if (order.what == QUIT)
            return;
        for (int i = 0; i < order.repetitions; i++)
            if (order.what == PING_PONG) {
                receive_all(connection[0], in, bytes);
                send_all(connection[0], out, bytes);
            } else {
                window(0, order.connections, bytes, bytes > CHUNK ? bytes : CHUNK);
                send_all(connection[0], &done, 1);
            }
    }
}

/* Seconds that so many repetitions take. */
static double give(struct order order) {
    char done;
    size_t bytes = (size_t)order.bytes;
    alarm(ALONE_SECONDS);
    send_all(connection[0], &order, sizeof order);
    double start = now();
    for (int i = 0; i < order.repetitions; i++)
        if (order.what == PING_PONG) {
            send_all(connection[0], out, bytes);
            receive_all(connection[0], in, bytes);
        } else {
            window(1, order.connections, bytes, bytes);
            receive_all(connection[0], &done, 1);
        }
    return now() - start;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of batches of 8 ms, of one repetition; of fewer where a repetition takes long. */
static double seconds_each(struct order order) {
    double seconds[BATCHES], took;
    for (order.repetitions = 1; (took = give(order)) < 0.004; order.repetitions *= 2)
        ;
    order.repetitions = (int)(order.repetitions * 0.008 / took) + 1;
    int batches = took < 0.05 ? BATCHES : BATCHES_LONG;
    for (int i = 0; i < batches; i++)
        seconds[i] = give(order) / order.repetitions;
    qsort(seconds, (size_t)batches, sizeof *seconds, by_value);
    return seconds[batches / 2];
}

static void measure(void) {
    static const int sizes[] = {8, 64, 512, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, LARGEST};
    const char *comma = "{";
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        double seconds = seconds_each((struct order){.what = PING_PONG, .connections = 1, .bytes = sizes[s]});
        printf("%s\"tcp_latency_%d_us\":%.3f", comma, sizes[s], seconds / 2 * 1e6);
        comma = ",";
        for (int c = 1; c <= CONNECTIONS && sizes[s] >= 1 << 10; c *= 2) {
            seconds = seconds_each((struct order){.what = STREAM, .connections = c, .bytes = sizes[s]});
            printf(",\"tcp_bandwidth_%d_x%d_MBps\":%.1f", sizes[s], c, sizes[s] * (double)WINDOW / seconds / 1e6);
        }
    }
    printf("}\n");
    struct order quit = {.what = QUIT};
    send_all(connection[0], &quit, sizeof quit);
}

static void prepare(int fd) {
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void be_called(const struct sockaddr_in *address) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (const struct sockaddr *)address, sizeof *address) != 0 || listen(listener, CONNECTIONS) != 0)
        fail("bind");
    for (int c = 0; c < CONNECTIONS; c++) {
        if ((connection[c] = accept(listener, NULL, NULL)) < 0)
            fail("accept");
        prepare(connection[c]);
    }
}

/* The other side may not listen yet. */
static void call(const struct sockaddr_in *address) {
    double end = now() + 20;
    for (int c = 0; c < CONNECTIONS; c++)
        for (;;) {
            connection[c] = socket(AF_INET, SOCK_STREAM, 0);
            prepare(connection[c]);
            if (connect(connection[c], (const struct sockaddr *)address, sizeof *address) == 0)
                break;
            if (now() > end)
                fail("connect");
            close(connection[c]);
            usleep(10000);
        }
}

int main(int argc, char **argv) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (argc != 4 || inet_pton(AF_INET, argv[2], &address.sin_addr) != 1)
        return 2;
    address.sin_port = htons((unsigned short)atoi(argv[3]));
    alarm(ALONE_SECONDS);
    out = aligned_alloc(4096, LARGEST);
    in = aligned_alloc(4096, LARGEST);
    memset(out, 1, LARGEST);
    memset(in, 2, LARGEST);
    if (strcmp(argv[1], "serve") == 0) {
        pin(1);
        be_called(&address);
        serve_orders();
    } else {
        pin(0);
        call(&address);
        measure();
    }
    return 0;
}
