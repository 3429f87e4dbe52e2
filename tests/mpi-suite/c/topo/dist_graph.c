/* Distributed graphs (MPI 5.0 section 8.5.4): edges named by processes that they touch or do not touch, with weights or without,
 * repeated edges and loops; the same graph in both forms of creation. */
#include "check.h"

enum { EDGES_MAX = 256, ROUNDS = 20 };

struct edge {
    int source, destination, weight;
};

/* The graph of this round, and who names each edge: the same on all processes. */
static int edges, namer[EDGES_MAX];
static struct edge edge[EDGES_MAX];
static uint64_t lots = 4242;

static int some(int n) {
    return (int)(random_next(&lots) % (unsigned)n);
}

static void draw(void) {
    edges = some(4 * world_size + 1);
    for (int i = 0; i < edges; i++) {
        edge[i].source = some(world_size);
        edge[i].destination = some(world_size);
        edge[i].weight = some(1000);
        namer[i] = some(world_size);
    }
}

static int compare(const void *a, const void *b) {
    const int *x = a, *y = b;
    return x[0] != y[0] ? (x[0] > y[0]) - (x[0] < y[0]) : (x[1] > y[1]) - (x[1] < y[1]);
}

/* The other ends and weights of this process's edges are these, in any order. */
static void check_ends(int count, const int *ranks, const int *weights, int weighted, int incoming) {
    int seen[EDGES_MAX][2], wanted[EDGES_MAX][2], n = 0;
    for (int i = 0; i < edges; i++)
        if ((incoming ? edge[i].destination : edge[i].source) == world_rank) {
            wanted[n][0] = incoming ? edge[i].source : edge[i].destination;
            wanted[n++][1] = weighted ? edge[i].weight : 0;
        }
    EQ(count, n);
    if (count != n)
        return;
    for (int i = 0; i < n; i++) {
        seen[i][0] = ranks[i];
        seen[i][1] = weighted ? weights[i] : 0;
    }
    qsort(seen, (size_t)n, sizeof *seen, compare);
    qsort(wanted, (size_t)n, sizeof *wanted, compare);
    for (int i = 0; i < n; i++) {
        EQ(seen[i][0], wanted[i][0]);
        EQ(seen[i][1], wanted[i][1]);
    }
}

static void check_graph(MPI_Comm comm, int weighted) {
    int kind = -1, in = -1, out = -1, flag = -1;
    int sources[EDGES_MAX], destinations[EDGES_MAX], source_weights[EDGES_MAX], destination_weights[EDGES_MAX];
    OK(MPI_Topo_test(comm, &kind));
    EQ(kind, MPI_DIST_GRAPH);
    OK(MPI_Dist_graph_neighbors_count(comm, &in, &out, &flag));
    EQ(!flag, !weighted);
    OK(MPI_Dist_graph_neighbors(comm, in, sources, weighted ? source_weights : MPI_UNWEIGHTED, out, destinations,
                                weighted ? destination_weights : MPI_UNWEIGHTED));
    check_ends(in, sources, source_weights, weighted, 1);
    check_ends(out, destinations, destination_weights, weighted, 0);
    if (in > 1) { /* only the first of them */
        int first[2] = {-9, -9};
        OK(MPI_Dist_graph_neighbors(comm, 1, first, MPI_UNWEIGHTED, 0, NULL, MPI_UNWEIGHTED));
        EQ(first[0], sources[0]);
        EQ(first[1], -9);
    }
}

static MPI_Comm create(int weighted) {
    int sources[EDGES_MAX], degrees[EDGES_MAX], destinations[EDGES_MAX], weights[EDGES_MAX], n = 0;
    MPI_Comm comm = MPI_COMM_NULL;
    for (int i = 0; i < edges; i++)
        if (namer[i] == world_rank) {
            sources[n] = edge[i].source;
            degrees[n] = 1;
            destinations[n] = edge[i].destination;
            weights[n++] = edge[i].weight;
        }
    OK(MPI_Dist_graph_create(MPI_COMM_WORLD, n, sources, degrees, destinations,
                             !weighted ? MPI_UNWEIGHTED : n ? weights : MPI_WEIGHTS_EMPTY, MPI_INFO_NULL, 0, &comm));
    return comm;
}

static MPI_Comm create_adjacent(int weighted) {
    int sources[EDGES_MAX], destinations[EDGES_MAX], source_weights[EDGES_MAX], destination_weights[EDGES_MAX];
    int in = 0, out = 0;
    MPI_Comm comm = MPI_COMM_NULL;
    for (int i = 0; i < edges; i++) {
        if (edge[i].destination == world_rank) {
            sources[in] = edge[i].source;
            source_weights[in++] = edge[i].weight;
        }
        if (edge[i].source == world_rank) {
            destinations[out] = edge[i].destination;
            destination_weights[out++] = edge[i].weight;
        }
    }
    OK(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, in, sources,
                                      !weighted ? MPI_UNWEIGHTED : in ? source_weights : MPI_WEIGHTS_EMPTY, out,
                                      destinations,
                                      !weighted ? MPI_UNWEIGHTED : out ? destination_weights : MPI_WEIGHTS_EMPTY,
                                      MPI_INFO_NULL, 0, &comm));
    return comm;
}

/* Several destinations for one source, as one entry. */
static void star(void) {
    int source = 0, degree = world_size, in = -1, out = -1, flag = -1;
    int *destinations = get_memory(sizeof(int) * (size_t)world_size);
    MPI_Comm comm;
    for (int i = 0; i < world_size; i++)
        destinations[i] = i;
    OK(MPI_Dist_graph_create(MPI_COMM_WORLD, world_rank == world_size - 1, &source, &degree, destinations,
                             MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &comm));
    OK(MPI_Dist_graph_neighbors_count(comm, &in, &out, &flag));
    EQ(in, 1);
    EQ(out, world_rank == 0 ? world_size : 0);
    EQ(flag, 0);
    OK(MPI_Comm_free(&comm));
    free(destinations);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    for (int round = 0; round < ROUNDS; round++) {
        draw();
        for (int weighted = 0; weighted < 2; weighted++) {
            MPI_Comm comm = create(weighted), copy;
            check_graph(comm, weighted);
            OK(MPI_Comm_dup(comm, &copy));
            OK(MPI_Comm_free(&comm));
            check_graph(copy, weighted);
            OK(MPI_Comm_free(&copy));
            comm = create_adjacent(weighted);
            check_graph(comm, weighted);
            OK(MPI_Comm_free(&comm));
        }
    }
    star();
    return finish();
}
