//! `MPI_Group_…` (MPI 5.0 section 7.3).

use crate::args;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Group};
use mpi_fm::{Group, Result, bail};
use std::ffi::c_int;
use std::sync::Arc;

pub unsafe fn size(rank: &Rank, group: MPI_Group, size: *mut c_int) -> Result<()> {
    // SAFETY: as the standard asks of the caller; so in all of this file.
    unsafe { args::put("size", size, rank.group(group)?.size() as c_int) }
}

pub unsafe fn rank(rank: &Rank, group: MPI_Group, rank_out: *mut c_int) -> Result<()> {
    let found = rank.group(group)?.rank_of(rank.process.me());
    // SAFETY: see `size`.
    unsafe { args::put("rank", rank_out, found.map_or(mpi_fm::constants::UNDEFINED, |rank| rank as c_int)) }
}

pub unsafe fn translate_ranks(
    rank: &Rank,
    group1: MPI_Group,
    n: c_int,
    ranks1: *const c_int,
    group2: MPI_Group,
    ranks2: *mut c_int,
) -> Result<()> {
    let (from, to) = (rank.group(group1)?, rank.group(group2)?);
    let n = args::length("n", n)?;
    // SAFETY: see `size`.
    let (ranks1, ranks2) = unsafe { (args::array("ranks1", ranks1, n)?, args::array_mut("ranks2", ranks2, n)?) };
    for (rank1, rank2) in ranks1.iter().zip(ranks2) {
        *rank2 = from.translate(*rank1, to)?;
    }
    Ok(())
}

pub unsafe fn compare(rank: &Rank, group1: MPI_Group, group2: MPI_Group, result: *mut c_int) -> Result<()> {
    let comparison = rank.group(group1)?.compare(rank.group(group2)?);
    // SAFETY: see `size`.
    unsafe { args::put("result", result, comparison as c_int) }
}

/// An operation on two groups.
unsafe fn combine(
    rank: &Rank,
    [group1, group2]: [MPI_Group; 2],
    newgroup: *mut MPI_Group,
    operation: impl FnOnce(&Arc<Group>, &Arc<Group>) -> Arc<Group>,
) -> Result<()> {
    args::check("newgroup", newgroup)?;
    let group = operation(rank.group(group1)?, rank.group(group2)?);
    // SAFETY: see `size`.
    unsafe { args::put("newgroup", newgroup, rank.group_handle(group)?) }
}

pub unsafe fn union(rank: &Rank, group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { combine(rank, [group1, group2], newgroup, Group::union) }
}

pub unsafe fn intersection(rank: &Rank, group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { combine(rank, [group1, group2], newgroup, Group::intersection) }
}

pub unsafe fn difference(rank: &Rank, group1: MPI_Group, group2: MPI_Group, newgroup: *mut MPI_Group) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { combine(rank, [group1, group2], newgroup, Group::difference) }
}

/// An operation that picks members by an array of `n` ranks or ranges.
unsafe fn pick<T>(
    rank: &Rank,
    group: MPI_Group,
    (n, name, picks): (c_int, &str, *const T),
    newgroup: *mut MPI_Group,
    operation: impl FnOnce(&Arc<Group>, &[T]) -> Result<Arc<Group>>,
) -> Result<()> {
    args::check("newgroup", newgroup)?;
    let group = rank.group(group)?;
    // SAFETY: see `size`.
    let picks = unsafe { args::array(name, picks, args::length("n", n)?)? };
    let group = operation(group, picks)?;
    // SAFETY: see `size`.
    unsafe { args::put("newgroup", newgroup, rank.group_handle(group)?) }
}

pub unsafe fn incl(
    rank: &Rank,
    group: MPI_Group,
    n: c_int,
    ranks: *const c_int,
    newgroup: *mut MPI_Group,
) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { pick(rank, group, (n, "ranks", ranks), newgroup, Group::incl) }
}

pub unsafe fn excl(
    rank: &Rank,
    group: MPI_Group,
    n: c_int,
    ranks: *const c_int,
    newgroup: *mut MPI_Group,
) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { pick(rank, group, (n, "ranks", ranks), newgroup, Group::excl) }
}

pub unsafe fn range_incl(
    rank: &Rank,
    group: MPI_Group,
    n: c_int,
    ranges: *mut [c_int; 3],
    newgroup: *mut MPI_Group,
) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { pick(rank, group, (n, "ranges", ranges.cast_const()), newgroup, Group::range_incl) }
}

pub unsafe fn range_excl(
    rank: &Rank,
    group: MPI_Group,
    n: c_int,
    ranges: *mut [c_int; 3],
    newgroup: *mut MPI_Group,
) -> Result<()> {
    // SAFETY: see `size`.
    unsafe { pick(rank, group, (n, "ranges", ranges.cast_const()), newgroup, Group::range_excl) }
}

pub unsafe fn free(rank: &Rank, group: *mut MPI_Group) -> Result<()> {
    // SAFETY: see `size`.
    match unsafe { args::get("group", group)? } {
        MPI_Group::NULL => bail!(GROUP, "the group is MPI_GROUP_NULL"),
        // What an operation returned may be freed, and that may be the empty group.
        MPI_Group::EMPTY => {}
        dynamic => drop(rank.groups.remove(dynamic.handle())?),
    }
    // SAFETY: see `size`.
    unsafe { args::put("group", group, MPI_Group::NULL) }
}
