// The same as client.c, by a C++ compiler and with C++'s library.
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <vector>

#include <mpi.h>

int main(int argc, char **argv)
{
    const int wanted = argc > 1 ? std::atoi(argv[1]) : 0;
    MPI_Init(&argc, &argv);
    int rank = 0, size = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    std::vector<int> all(static_cast<std::size_t>(size));
    MPI_Allgather(&rank, 1, MPI_INT, all.data(), 1, MPI_INT, MPI_COMM_WORLD);
    MPI_Finalize();
    const int sum = std::accumulate(all.begin(), all.end(), 0);
    if (size != wanted || sum != size * (size - 1) / 2) {
        std::cerr << "rank " << rank << " of " << size << " (wanted " << wanted << "): the ranks add up to " << sum << "\n";
        return 1;
    }
    return 0;
}
