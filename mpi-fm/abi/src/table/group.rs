//! Groups (MPI 5.0 section 7.3).

use super::prelude::*;
use crate::group;

table! {
    "Groups", "7.3";

    fn MPI_Group_size(group: MPI_Group, size: *mut c_int) = group::size;
    fn MPI_Group_rank(group: MPI_Group, rank: *mut c_int) = group::rank;
    fn MPI_Group_translate_ranks(
        group1: MPI_Group, n: c_int, ranks1: *const c_int, group2: MPI_Group, ranks2: *mut c_int
    ) = group::translate_ranks;
    fn MPI_Group_compare(group1: MPI_Group, group2: MPI_Group, result: *mut c_int) = group::compare;
    fn MPI_Group_union(group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) = group::union;
    fn MPI_Group_intersection(group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) = group::intersection;
    fn MPI_Group_difference(group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) = group::difference;
    fn MPI_Group_incl(group: MPI_Group, n: c_int, ranks: *const c_int, newgroup: *mut MPI_Group) = group::incl;
    fn MPI_Group_excl(group: MPI_Group, n: c_int, ranks: *const c_int, newgroup: *mut MPI_Group) = group::excl;
    fn MPI_Group_range_incl(
        group: MPI_Group, n: c_int, ranges: *mut [c_int; 3], newgroup: *mut MPI_Group
    ) = group::range_incl;
    fn MPI_Group_range_excl(
        group: MPI_Group, n: c_int, ranges: *mut [c_int; 3], newgroup: *mut MPI_Group
    ) = group::range_excl;
    fn MPI_Group_free(group: *mut MPI_Group) = group::free;
}
