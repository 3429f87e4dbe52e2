/* Neighbourhood collectives on a ring and on a directed graph, blocking and nonblocking (MPI 5.0 section 8.6). */
#include "variants.h"

static void on_ring(int n) {
    MPI_Comm ring;
    int dims[1] = {world_size}, periods[1] = {1}, rank, left, right;
    OK(MPI_Cart_create(MPI_COMM_WORLD, 1, dims, periods, 0, &ring));
    OK(MPI_Comm_rank(ring, &rank));
    OK(MPI_Cart_shift(ring, 0, 1, &left, &right));
    int *in = get_memory(2 * (size_t)n * sizeof(int)), *out = get_memory(2 * (size_t)n * sizeof(int));
    for (int i = 0; i < 2 * n; i++)
        in[i] = rank * 100000 + i;
    RUN(neighbor_allgather, Neighbor_allgather, in, n, MPI_INT, out, n, MPI_INT, ring);
    for (int i = 0; i < 2 * n; i++)
        EQ(out[i], (i < n ? left : right) * 100000 + i % n);
    /* What goes left arrives at the left one's right side. */
    RUN(neighbor_alltoall, Neighbor_alltoall, in, n, MPI_INT, out, n, MPI_INT, ring);
    if (world_size > 2)
        for (int i = 0; i < 2 * n; i++)
            EQ(out[i], i < n ? left * 100000 + n + i : right * 100000 + i - n);
    free(in);
    free(out);
    OK(MPI_Comm_free(&ring));
}

/* Rank r sends to all higher ranks. */
static void on_graph(void) {
    int sources[64], destinations[64], in[64], out[64], counts[64], at[64];
    MPI_Comm graph;
    int above = world_size - 1 - world_rank;
    for (int r = 0; r < world_rank; r++)
        sources[r] = r;
    for (int r = 0; r < above; r++)
        destinations[r] = world_rank + 1 + r;
    OK(MPI_Dist_graph_create_adjacent(MPI_COMM_WORLD, world_rank, sources, MPI_UNWEIGHTED, above, destinations,
                                      MPI_UNWEIGHTED, MPI_INFO_NULL, 0, &graph));
    for (int r = 0; r < 64; r++) {
        in[r] = world_rank * 100 + r;
        out[r] = -1;
        counts[r] = 1;
        at[r] = 63 - r;
    }
    RUN(neighbor_alltoall, Neighbor_alltoall, in, 1, MPI_INT, out, 1, MPI_INT, graph);
    for (int r = 0; r < 64; r++)
        EQ(out[r], r < world_rank ? r * 100 + world_rank - 1 - r : -1);
    RUN(neighbor_allgatherv, Neighbor_allgatherv, in, 1, MPI_INT, out, counts, at, MPI_INT, graph);
    for (int r = 0; r < world_rank; r++)
        EQ(out[63 - r], r * 100);
    OK(MPI_Comm_free(&graph));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    choose_variant(argc, argv);
    on_ring(1);
    on_ring(3000);
    on_graph();
    return finish();
}
