//! Groups: ordered sets of processes (MPI 5.0 chapter 7.3).
//!
//! A [`Group`] never changes. Groups that come from `MPI_COMM_WORLD` by taking a block, every n-th rank or the reverse order are
//! stored as a progression, whatever their size; any other group stores a list, and once it is searched an index.
//!
//! - this file: members, own rank, comparison
//! - [`members`]: how the members are stored and found
//! - `algebra`: union, intersection, difference, subsets by rank and by range
//! - `translate`: ranks of one group in another

mod algebra;
mod members;
mod translate;

#[cfg(test)]
mod tests;

use crate::session::Session;
use fm::Peer;
use members::Members;
use std::sync::Arc;

/// An ordered set of processes. A process's *rank* is its place in it.
pub struct Group {
    members: Members,
    /// The session that it was derived from, if it was not from the World Model (MPI 5.0 section 11.3).
    session: Option<Arc<Session>>,
}

/// The answer of a comparison of groups or communicators, with the standard ABI's numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(i32)]
pub enum Comparison {
    /// The same object, or for groups: the same members in the same order.
    Ident = 201,
    /// Different communicators with identical groups.
    Congruent = 202,
    /// The same members in another order.
    Similar = 203,
    Unequal = 204,
}

impl Group {
    /// The group of nobody.
    pub fn empty() -> Arc<Group> {
        Arc::new(Group { members: Members::progression(0, 1, 0), session: None })
    }

    /// Processes 0 to `size - 1`, as in `MPI_COMM_WORLD`.
    pub fn world(size: u32) -> Arc<Group> {
        Arc::new(Group { members: Members::progression(0, 1, size), session: None })
    }

    /// A group of one, as in `MPI_COMM_SELF`.
    pub fn single(process: Peer) -> Arc<Group> {
        Arc::new(Group { members: Members::progression(process.0, 1, 1), session: None })
    }

    /// The group of these processes in this order.
    ///
    /// # Panics
    /// If there are 2^31 or more: ranks would not fit an `int`.
    pub fn of(processes: impl IntoIterator<Item = Peer>) -> Arc<Group> {
        Group::within(None, processes)
    }

    /// The same, derived from `session`.
    ///
    /// # Panics
    /// As [`of`](Self::of).
    pub fn within(session: Option<Arc<Session>>, processes: impl IntoIterator<Item = Peer>) -> Arc<Group> {
        let members = Members::collect(processes);
        assert!(members.len() <= i32::MAX as usize, "a group of {} processes", members.len());
        Arc::new(Group { members, session })
    }

    pub fn session(&self) -> Option<&Arc<Session>> {
        self.session.as_ref()
    }

    /// A group made from this one belongs to the same session.
    fn derive(&self, processes: impl IntoIterator<Item = Peer>) -> Arc<Group> {
        Group::within(self.session.clone(), processes)
    }

    #[inline]
    pub fn size(&self) -> usize {
        self.members.len()
    }

    pub fn is_empty(&self) -> bool {
        self.size() == 0
    }

    /// The process of a rank.
    ///
    /// # Panics
    /// If `rank` is not below [`size`](Self::size).
    #[inline]
    pub fn peer(&self, rank: usize) -> Peer {
        self.members.get(rank)
    }

    /// The rank of a process; `None` if it is no member.
    #[inline]
    pub fn rank_of(&self, process: Peer) -> Option<usize> {
        self.members.find(process)
    }

    pub fn contains(&self, process: Peer) -> bool {
        self.rank_of(process).is_some()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = Peer> + '_ {
        (0..self.size()).map(|rank| self.peer(rank))
    }

    /// `MPI_Group_compare`: never [`Comparison::Congruent`].
    pub fn compare(&self, other: &Group) -> Comparison {
        if self.size() != other.size() {
            Comparison::Unequal
        } else if self.same_order(other) {
            Comparison::Ident
        } else if self.iter().all(|process| other.contains(process)) {
            Comparison::Similar
        } else {
            Comparison::Unequal
        }
    }

    fn same_order(&self, other: &Group) -> bool {
        std::ptr::eq(self, other)
            || match (self.members.as_progression(), other.members.as_progression()) {
                (Some(ours), Some(theirs)) => ours == theirs,
                // What is a progression is always stored as one.
                (None, None) => self.iter().eq(other.iter()),
                _ => false,
            }
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|process| process.0)).finish()
    }
}
