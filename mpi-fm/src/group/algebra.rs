//! Making groups from groups (MPI 5.0 section 7.3.2).

use super::Group;
use crate::bail;
use crate::error::{Class, Error, Result};
use std::sync::Arc;

/// One range of ranks as the caller gives it: first, last, stride.
pub type Range = [i32; 3];

impl Group {
    /// The members of `self`, then those of `other` that are not among them.
    pub fn union(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Group> {
        if other.iter().all(|process| self.contains(process)) {
            return self.clone();
        }
        self.derive(self.iter().chain(other.iter().filter(|&process| !self.contains(process))))
    }

    /// The members of `self` that are in `other` too, in the order of `self`.
    pub fn intersection(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Group> {
        self.filter(|process| other.contains(process))
    }

    /// The members of `self` that are not in `other`, in the order of `self`.
    pub fn difference(self: &Arc<Self>, other: &Arc<Self>) -> Arc<Group> {
        self.filter(|process| !other.contains(process))
    }

    fn filter(self: &Arc<Self>, keep: impl Fn(fm::Peer) -> bool) -> Arc<Group> {
        if self.iter().all(&keep) {
            return self.clone();
        }
        self.derive(self.iter().filter(|&process| keep(process)))
    }

    /// The members of these ranks, in the order of `ranks`.
    pub fn incl(self: &Arc<Self>, ranks: &[i32]) -> Result<Arc<Group>> {
        self.mark(ranks.iter().map(|&rank| i64::from(rank)))?;
        Ok(self.derive(ranks.iter().map(|&rank| self.peer(rank as usize))))
    }

    /// All members but these, in their order.
    pub fn excl(self: &Arc<Self>, ranks: &[i32]) -> Result<Arc<Group>> {
        let marked = self.mark(ranks.iter().map(|&rank| i64::from(rank)))?;
        Ok(self.without(&marked))
    }

    /// The members of the ranks in these ranges, in the order of the ranges.
    pub fn range_incl(self: &Arc<Self>, ranges: &[Range]) -> Result<Arc<Group>> {
        self.check_ranges(ranges)?;
        self.mark(ranges.iter().flat_map(|&range| ranks_of(range)))?;
        Ok(self.derive(ranges.iter().flat_map(|&range| ranks_of(range)).map(|rank| self.peer(rank as usize))))
    }

    /// All members but those of the ranks in these ranges, in their order.
    pub fn range_excl(self: &Arc<Self>, ranges: &[Range]) -> Result<Arc<Group>> {
        self.check_ranges(ranges)?;
        let marked = self.mark(ranges.iter().flat_map(|&range| ranks_of(range)))?;
        Ok(self.without(&marked))
    }

    /// Which ranks are named: each must be valid and named once.
    fn mark(&self, ranks: impl Iterator<Item = i64>) -> Result<Vec<bool>> {
        let mut marked = vec![false; self.size()];
        for rank in ranks {
            match usize::try_from(rank).ok().and_then(|rank| marked.get_mut(rank)) {
                None => return Err(self.no_such_rank(rank)),
                Some(true) => bail!(RANK, "rank {rank} is given twice"),
                Some(free) => *free = true,
            }
        }
        Ok(marked)
    }

    fn without(self: &Arc<Self>, marked: &[bool]) -> Arc<Group> {
        if !marked.contains(&true) {
            return self.clone();
        }
        self.derive((0..self.size()).filter(|&rank| !marked[rank]).map(|rank| self.peer(rank)))
    }

    /// What cannot be seen from the ranks alone. The last rank of a range need not be hit nor exist, the ranks that are computed
    /// must; so the number of ranks is bounded by the group's size before anything is listed.
    fn check_ranges(&self, ranges: &[Range]) -> Result<()> {
        for &[first, last, stride] in ranges {
            if stride == 0 {
                bail!(ARG, "the range from rank {first} to {last} has stride 0");
            }
            let distance = i64::from(last) - i64::from(first);
            if distance != 0 && (distance > 0) != (stride > 0) {
                bail!(ARG, "the range from rank {first} never reaches {last} in steps of {stride}");
            }
            let hit = i64::from(first) + distance / i64::from(stride) * i64::from(stride);
            for rank in [i64::from(first), hit] {
                if !(0..self.size() as i64).contains(&rank) {
                    return Err(self.no_such_rank(rank));
                }
            }
        }
        Ok(())
    }

    pub(super) fn no_such_rank(&self, rank: i64) -> Error {
        let text = match self.size() {
            0 => format!("there is no rank {rank}: the group is empty"),
            size => format!("there is no rank {rank}: the group has ranks 0 to {}", size - 1),
        };
        Error::new(Class::RANK, text)
    }
}

/// The ranks of a checked range.
fn ranks_of([first, last, stride]: Range) -> impl Iterator<Item = i64> {
    let (first, last, stride) = (i64::from(first), i64::from(last), i64::from(stride));
    (0..=(last - first) / stride).map(move |step| first + step * stride)
}
