/* Union, intersection, difference and subsets of random groups against lists of ranks (MPI 5.0 section 7.3.2). The processes of
 * MPI_COMM_WORLD are few, so many groups meet. */
#include "check.h"

enum { MEMBERS_MAX = 64, ROUNDS = 300 };

struct list {
    int n;
    int member[MEMBERS_MAX];
};

static MPI_Group world;
static uint64_t lots = 12345;

static int has(const struct list *list, int member) {
    for (int i = 0; i < list->n; i++)
        if (list->member[i] == member)
            return 1;
    return 0;
}

static void add(struct list *list, int member) {
    list->member[list->n++] = member;
}

/* Some of the ranks from 0 to n - 1 in any order; the same on all processes. */
static struct list some(int n) {
    struct list list = {0, {0}};
    int wanted = (int)(random_next(&lots) % (unsigned)(n + 1));
    while (list.n < wanted) {
        int member = (int)(random_next(&lots) % (unsigned)n);
        if (!has(&list, member))
            add(&list, member);
    }
    return list;
}

static MPI_Group group_of(struct list *list) {
    MPI_Group group;
    OK(MPI_Group_incl(world, list->n, list->member, &group));
    return group;
}

/* The members by their ranks in MPI_COMM_WORLD are those of the list, in its order. Frees the group. */
static void check_members(const char *what, MPI_Group group, const struct list *wanted) {
    int size = -1, ranks[MEMBERS_MAX], members[MEMBERS_MAX];
    OK(MPI_Group_size(group, &size));
    CHECK_MSG(size == wanted->n, "%s: %d members, expected %d", what, size, wanted->n);
    if (size != wanted->n)
        return;
    for (int i = 0; i < size; i++)
        ranks[i] = i;
    OK(MPI_Group_translate_ranks(group, size, ranks, world, members));
    for (int i = 0; i < size; i++)
        CHECK_MSG(members[i] == wanted->member[i], "%s: member %d is %d, expected %d", what, i, members[i],
                  wanted->member[i]);
    int rank = -1, mine = MPI_UNDEFINED;
    for (int i = 0; i < size; i++)
        if (wanted->member[i] == world_rank)
            mine = i;
    OK(MPI_Group_rank(group, &rank));
    EQ(rank, mine);
    OK(MPI_Group_free(&group));
}

static void set_operations(void) {
    struct list a = some(world_size), b = some(world_size);
    MPI_Group ga = group_of(&a), gb = group_of(&b), result;
    struct list united = a, common = {0, {0}}, rest = {0, {0}};
    for (int i = 0; i < b.n; i++)
        if (!has(&a, b.member[i]))
            add(&united, b.member[i]);
    for (int i = 0; i < a.n; i++)
        add(has(&b, a.member[i]) ? &common : &rest, a.member[i]);
    OK(MPI_Group_union(ga, gb, &result));
    check_members("union", result, &united);
    OK(MPI_Group_intersection(ga, gb, &result));
    check_members("intersection", result, &common);
    OK(MPI_Group_difference(ga, gb, &result));
    check_members("difference", result, &rest);
    OK(MPI_Group_free(&ga));
    OK(MPI_Group_free(&gb));
}

static void subsets(void) {
    struct list a = some(world_size), kept = {0, {0}}, others = {0, {0}};
    if (a.n == 0)
        return;
    MPI_Group group = group_of(&a), result;
    struct list picks = some(a.n);
    for (int i = 0; i < picks.n; i++)
        add(&kept, a.member[picks.member[i]]);
    for (int i = 0; i < a.n; i++)
        if (!has(&picks, i))
            add(&others, a.member[i]);
    OK(MPI_Group_incl(group, picks.n, picks.member, &result));
    check_members("incl", result, &kept);
    OK(MPI_Group_excl(group, picks.n, picks.member, &result));
    check_members("excl", result, &others);
    OK(MPI_Group_free(&group));
}

int main(int argc, char **argv) {
    begin(&argc, &argv);
    OK(MPI_Comm_group(MPI_COMM_WORLD, &world));
    for (int round = 0; round < ROUNDS; round++) {
        set_operations();
        subsets();
    }
    OK(MPI_Group_free(&world));
    return finish();
}
