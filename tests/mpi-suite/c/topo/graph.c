/* Graph topologies (MPI 5.0 section 8.5.3): a ring with a hub, one-way and repeated edges, loops. */
#include "check.h"

/* Node 0 leads to all others; each node to the next; node 1, if there is one, to itself twice. */
static int make(int nodes, int *index, int *edges) {
    int n = 0;
    for (int node = 0; node < nodes; node++) {
        for (int other = 1; node == 0 && other < nodes; other++)
            edges[n++] = other;
        edges[n++] = (node + 1) % nodes;
        if (node == 1)
            edges[n++] = 1, edges[n++] = 1;
        index[node] = n;
    }
    return n;
}

static void check_graph(MPI_Comm comm, int nodes, const int *index, const int *edges) {
    int kind = -1, nnodes = -1, nedges = -1, count = -1;
    int *got = get_memory(sizeof(int) * (size_t)(nodes + index[nodes - 1]));
    OK(MPI_Topo_test(comm, &kind));
    EQ(kind, MPI_GRAPH);
    OK(MPI_Graphdims_get(comm, &nnodes, &nedges));
    EQ(nnodes, nodes);
    EQ(nedges, index[nodes - 1]);
    OK(MPI_Graph_get(comm, nnodes, nedges, got, got + nodes));
    EQ(memcmp(got, index, sizeof(int) * (size_t)nodes), 0);
    EQ(memcmp(got + nodes, edges, sizeof(int) * (size_t)nedges), 0);
    for (int node = 0; node < nodes; node++) {
        int start = node ? index[node - 1] : 0;
        OK(MPI_Graph_neighbors_count(comm, node, &count));
        EQ(count, index[node] - start);
        OK(MPI_Graph_neighbors(comm, node, count, got));
        for (int i = 0; i < count; i++)
            EQ(got[i], edges[start + i]);
    }
    free(got);
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    int *index = get_memory(sizeof(int) * (size_t)world_size);
    int *edges = get_memory(sizeof(int) * (size_t)(2 * world_size + 2));
    for (int nodes = 1; nodes <= world_size; nodes++) {
        MPI_Comm graph, copy;
        int map = -1, rank = -1, size = -1;
        make(nodes, index, edges);
        OK(MPI_Graph_map(MPI_COMM_WORLD, nodes, index, edges, &map));
        EQ(map, world_rank < nodes ? world_rank : MPI_UNDEFINED);
        OK(MPI_Graph_create(MPI_COMM_WORLD, nodes, index, edges, 0, &graph));
        if (world_rank >= nodes) {
            CHECK(graph == MPI_COMM_NULL);
            continue;
        }
        OK(MPI_Comm_size(graph, &size));
        EQ(size, nodes);
        OK(MPI_Comm_rank(graph, &rank));
        EQ(rank, world_rank);
        check_graph(graph, nodes, index, edges);
        OK(MPI_Comm_dup(graph, &copy));
        OK(MPI_Comm_free(&graph));
        check_graph(copy, nodes, index, edges);
        OK(MPI_Comm_free(&copy));
    }
    /* A graph without nodes has no communicator. */
    MPI_Comm nobody = MPI_COMM_WORLD;
    OK(MPI_Graph_create(MPI_COMM_WORLD, 0, index, edges, 0, &nobody));
    CHECK(nobody == MPI_COMM_NULL);
    free(index);
    free(edges);
    return finish();
}
