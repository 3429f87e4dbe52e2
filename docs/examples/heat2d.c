/* Heat spreads from wires into a plate that the air cools: the usual shape of an MPI program that works on a grid.
 *
 *   mpicc heat2d.c -o heat2d -lm && hpvmrun -n 4 ./heat2d [picture.png [steps]]
 *
 * The plate is cut into blocks, one for each process, on a Cartesian communicator. In each step a process exchanges
 * the edges of its block with its four neighbours (rows are contiguous in memory, columns are a derived datatype),
 * works on the inside meanwhile, and finishes the edges when the neighbours' values have come. At the end rank 0 puts
 * the blocks together to a picture, which is the same to the byte with any number of processes.
 */
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

#include "png.h"

enum { WIDTH = 640, HEIGHT = 240, STEPS = 1500, REPORT = 500 };

static const double COOLING = 0.997; /* what the air leaves of the heat in a step */

/* ---- the plate: where the wires are ---------------------------------------------------------------------------- */

static const char *const WIRES[7] = {
    "#...#.####..#...#.#...#",
    "#...#.#...#.#...#.##.##",
    "#...#.#...#.#...#.#.#.#",
    "#####.####..#...#.#.#.#",
    "#...#.#.....#...#.#...#",
    "#...#.#......#.#..#...#",
    "#...#.#.......#...#...#",
};

/* Fixed temperature of a cell, or a negative number if it is free. */
static double fixed(int y, int x)
{
    enum { CELL = 20, TOP = (HEIGHT - 7 * CELL) / 2, LEFT = (WIDTH - 23 * CELL) / 2 };
    if (y < TOP || y >= TOP + 7 * CELL || x < LEFT || x >= LEFT + 23 * CELL)
        return -1.0;
    return WIRES[(y - TOP) / CELL][(x - LEFT) / CELL] == '#' ? 1.0 : -1.0;
}

/* ---- one process's block, with a frame for the neighbours' edges ------------------------------------------------ */

typedef struct {
    int y0, x0, rows, cols; /* where it lies in the plate, and its size without the frame */
    double *now, *next;     /* (rows + 2) x (cols + 2) */
    unsigned char *wire;
} Block;

static size_t at(const Block *b, int y, int x)
{
    return (size_t) y * (size_t) (b->cols + 2) + (size_t) x;
}

/* Part `index` of `parts` of `length` cells: its first cell; the next part's first cell is its end. */
static int cut(int length, int parts, int index)
{
    return (int) ((long) length * index / parts);
}

static Block make_block(const int dims[2], const int coords[2])
{
    Block b = {cut(HEIGHT, dims[0], coords[0]), cut(WIDTH, dims[1], coords[1]), 0, 0, NULL, NULL, NULL};
    b.rows = cut(HEIGHT, dims[0], coords[0] + 1) - b.y0;
    b.cols = cut(WIDTH, dims[1], coords[1] + 1) - b.x0;
    size_t cells = (size_t) (b.rows + 2) * (size_t) (b.cols + 2);
    b.now = calloc(cells, sizeof(double));
    b.next = calloc(cells, sizeof(double));
    b.wire = calloc(cells, 1);
    if (!b.now || !b.next || !b.wire) {
        fprintf(stderr, "heat2d: out of memory\n");
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (int y = 1; y <= b.rows; y++)
        for (int x = 1; x <= b.cols; x++) {
            double value = fixed(b.y0 + y - 1, b.x0 + x - 1);
            b.wire[at(&b, y, x)] = value >= 0.0;
            b.now[at(&b, y, x)] = b.next[at(&b, y, x)] = fmax(value, 0.0);
        }
    return b;
}

/* One step for the cells of rows [y0, y1) and columns [x0, x1); returns the largest change. */
static double relax(Block *b, int y0, int y1, int x0, int x1)
{
    double largest = 0.0;
    size_t line = (size_t) b->cols + 2;
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            size_t i = at(b, y, x);
            if (b->wire[i])
                continue;
            double around = b->now[i - 1] + b->now[i + 1] + b->now[i - line] + b->now[i + line];
            b->next[i] = 0.25 * COOLING * around;
            largest = fmax(largest, fabs(b->next[i] - b->now[i]));
        }
    return largest;
}

/* One step of the whole block: talk and work at the same time. */
static double step(Block *b, MPI_Comm grid, MPI_Datatype row, MPI_Datatype column)
{
    int up, down, left, right, m = b->rows, n = b->cols;
    MPI_Cart_shift(grid, 0, 1, &up, &down);
    MPI_Cart_shift(grid, 1, 1, &left, &right);

    /* At the plate's border the neighbour is MPI_PROC_NULL: nothing is sent, and the frame stays cold. */
    MPI_Request r[8];
    double *u = b->now;
    MPI_Irecv(&u[at(b, 0, 1)], 1, row, up, 0, grid, &r[0]);
    MPI_Irecv(&u[at(b, m + 1, 1)], 1, row, down, 1, grid, &r[1]);
    MPI_Irecv(&u[at(b, 1, 0)], 1, column, left, 2, grid, &r[2]);
    MPI_Irecv(&u[at(b, 1, n + 1)], 1, column, right, 3, grid, &r[3]);
    MPI_Isend(&u[at(b, m, 1)], 1, row, down, 0, grid, &r[4]);
    MPI_Isend(&u[at(b, 1, 1)], 1, row, up, 1, grid, &r[5]);
    MPI_Isend(&u[at(b, 1, n)], 1, column, right, 2, grid, &r[6]);
    MPI_Isend(&u[at(b, 1, 1)], 1, column, left, 3, grid, &r[7]);

    double change = relax(b, 2, m, 2, n);
    MPI_Waitall(8, r, MPI_STATUSES_IGNORE);
    change = fmax(change, relax(b, 1, 2, 1, n + 1));
    if (m > 1)
        change = fmax(change, relax(b, m, m + 1, 1, n + 1));
    change = fmax(change, relax(b, 2, m, 1, 2));
    if (n > 1)
        change = fmax(change, relax(b, 2, m, n, n + 1));

    b->now = b->next;
    b->next = u;
    return change;
}

/* ---- the picture ----------------------------------------------------------------------------------------------- */

/* From cold to hot: night blue, violet, red, orange, yellow, white; lines of equal temperature a little darker. */
static void colour(double heat, unsigned char rgb[3])
{
    static const double stops[6][3] = {{8, 8, 40},    {88, 16, 110},  {190, 40, 80},
                                       {240, 110, 25}, {252, 200, 60}, {255, 250, 225}};
    double position = 5.0 * pow(fmin(fmax(heat, 0.0), 1.0), 0.8), part = position - floor(position);
    int stop = position >= 5.0 ? 4 : (int) position;
    double shade = heat < 0.999 && part < 0.06 && position > 0.5 ? 0.75 : 1.0;
    if (position >= 5.0)
        part = 1.0;
    for (int i = 0; i < 3; i++)
        rgb[i] = (unsigned char) (shade * (stops[stop][i] * (1.0 - part) + stops[stop + 1][i] * part) + 0.5);
}

static int paint(const char *path, const double *plate)
{
    unsigned char *rgb = malloc((size_t) 3 * WIDTH * HEIGHT);
    if (!rgb)
        return -1;
    for (size_t i = 0; i < (size_t) WIDTH * HEIGHT; i++)
        colour(plate[i], rgb + 3 * i);
    int bad = png_write(path, WIDTH, HEIGHT, rgb);
    free(rgb);
    return bad;
}

/* A block without its frame, as it lies in memory at its owner or in the plate at rank 0. */
static MPI_Datatype window(int height, int width, int rows, int cols, int y, int x)
{
    MPI_Datatype type;
    MPI_Type_create_subarray(2, (int[]) {height, width}, (int[]) {rows, cols}, (int[]) {y, x}, MPI_ORDER_C, MPI_DOUBLE,
                             &type);
    MPI_Type_commit(&type);
    return type;
}

/* Every process sends its block; rank 0 receives each at its place in the plate. Returns the plate at rank 0. */
static double *gather(const Block *b, MPI_Comm grid, const int dims[2])
{
    int rank, size;
    MPI_Comm_rank(grid, &rank);
    MPI_Comm_size(grid, &size);
    double *plate = NULL;
    MPI_Request sent;
    MPI_Datatype inner = window(b->rows + 2, b->cols + 2, b->rows, b->cols, 1, 1);
    MPI_Isend(b->now, 1, inner, 0, 0, grid, &sent);
    if (rank == 0) {
        plate = malloc(sizeof(double) * WIDTH * HEIGHT);
        if (!plate)
            MPI_Abort(grid, 1);
        for (int peer = 0; peer < size; peer++) {
            int c[2];
            MPI_Cart_coords(grid, peer, 2, c);
            int y = cut(HEIGHT, dims[0], c[0]), x = cut(WIDTH, dims[1], c[1]);
            MPI_Datatype place = window(HEIGHT, WIDTH, cut(HEIGHT, dims[0], c[0] + 1) - y,
                                        cut(WIDTH, dims[1], c[1] + 1) - x, y, x);
            MPI_Recv(plate, 1, place, peer, 0, grid, MPI_STATUS_IGNORE);
            MPI_Type_free(&place);
        }
    }
    MPI_Wait(&sent, MPI_STATUS_IGNORE);
    MPI_Type_free(&inner);
    return plate;
}

int main(int argc, char **argv)
{
    MPI_Init(&argc, &argv);
    const char *path = argc > 1 ? argv[1] : "heat2d.png";
    int steps = argc > 2 ? atoi(argv[2]) : STEPS;

    int size, rank, dims[2] = {0, 0}, coords[2];
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    MPI_Dims_create(size, 2, dims);
    if (dims[0] > HEIGHT || dims[1] > WIDTH) {
        fprintf(stderr, "heat2d: %d processes are too many for this plate\n", size);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    /* The larger of the two numbers along the longer side. */
    int turned[2] = {dims[1], dims[0]};
    MPI_Comm grid;
    MPI_Cart_create(MPI_COMM_WORLD, 2, turned, (int[]) {0, 0}, 1, &grid);
    MPI_Comm_rank(grid, &rank);
    MPI_Cart_coords(grid, rank, 2, coords);
    if (rank == 0)
        printf("%d x %d cells on %d x %d processes\n", HEIGHT, WIDTH, turned[0], turned[1]);

    Block block = make_block(turned, coords);
    MPI_Datatype row, column;
    MPI_Type_contiguous(block.cols, MPI_DOUBLE, &row);
    MPI_Type_vector(block.rows, 1, block.cols + 2, MPI_DOUBLE, &column);
    MPI_Type_commit(&row);
    MPI_Type_commit(&column);

    double start = MPI_Wtime();
    for (int i = 1; i <= steps; i++) {
        double change = step(&block, grid, row, column), largest;
        if (i % REPORT == 0 || i == steps) {
            MPI_Reduce(&change, &largest, 1, MPI_DOUBLE, MPI_MAX, 0, grid);
            if (rank == 0)
                printf("step %5d: the largest change is %.2e\n", i, largest);
        }
    }
    double seconds = MPI_Wtime() - start;

    int bad = 0;
    double *plate = gather(&block, grid, turned);
    if (rank == 0) {
        bad = paint(path, plate);
        if (bad)
            perror(path);
        else
            printf("%d steps took %.2f s; the picture is %s\n", steps, seconds, path);
        free(plate);
    }
    MPI_Bcast(&bad, 1, MPI_INT, 0, grid);

    free(block.now);
    free(block.next);
    free(block.wire);
    MPI_Type_free(&row);
    MPI_Type_free(&column);
    MPI_Comm_free(&grid);
    MPI_Finalize();
    return bad ? 1 : 0;
}
