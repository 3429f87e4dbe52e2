/* MPI_Intercomm_create_from_groups: sides of different sizes, leaders other than rank 0, beside the World Model and
 * without (MPI 5.0 section 7.6.2). */
#include "session.h"

/* The last `high` processes on one side, the others on the other. */
static void sides(MPI_Comm among, int high, const char *stringtag) {
    int low = world_size - high, in_low = world_rank < low;
    int low_range[1][3] = {{0, low - 1, 1}}, high_range[1][3] = {{world_size - 1, low, -1}};
    MPI_Group all, groups[2];
    MPI_Comm inter, merged;
    OK(MPI_Comm_group(among, &all));
    OK(MPI_Group_range_incl(all, 1, low_range, &groups[0]));
    OK(MPI_Group_range_incl(all, 1, high_range, &groups[1]));
    OK(MPI_Group_free(&all));
    int leaders[2] = {low / 2, high - 1}, side = !in_low;
    /* What is remote counts in the leader only. */
    int leading = world_rank == (in_low ? leaders[0] : low);
    OK(MPI_Intercomm_create_from_groups(groups[side], leaders[side], leading ? groups[!side] : MPI_GROUP_NULL,
                                        leading ? leaders[!side] : -1, stringtag, MPI_INFO_NULL, MPI_ERRORS_RETURN,
                                        &inter));
    int flag = 0, size = -1, remote_size = -1, rank = -1;
    OK(MPI_Comm_test_inter(inter, &flag));
    EQ(flag, 1);
    OK(MPI_Comm_size(inter, &size));
    EQ(size, in_low ? low : high);
    OK(MPI_Comm_remote_size(inter, &remote_size));
    EQ(remote_size, in_low ? high : low);
    OK(MPI_Comm_rank(inter, &rank));
    EQ(rank, in_low ? world_rank : world_size - 1 - world_rank);

    int sum = 0, wanted = 0;
    OK(MPI_Allreduce(&world_rank, &sum, 1, MPI_INT, MPI_SUM, inter));
    for (int i = 0; i < world_size; i++)
        wanted += (i < low) != in_low ? i : 0;
    EQ(sum, wanted);
    OK(MPI_Intercomm_merge(inter, !in_low, &merged));
    OK(MPI_Comm_rank(merged, &rank));
    EQ(rank, in_low ? world_rank : low + world_size - 1 - world_rank);
    OK(MPI_Comm_free(&merged));
    OK(MPI_Comm_free(&inter));
    OK(MPI_Group_free(&groups[0]));
    OK(MPI_Group_free(&groups[1]));
}

int main(int argc, char **argv) {
    begin_session("MPI_THREAD_SINGLE");
    for (int high = 1; high < world_size; high++)
        sides(everyone, high, "sides");
    MPI_Init(&argc, &argv);
    for (int high = 1; high < world_size; high++)
        sides(MPI_COMM_WORLD, high, "world");
    MPI_Finalize();
    return finish_session();
}
