//! Ranks of one group in another (MPI 5.0 section 7.3.1).

use super::Group;
use crate::constants::{PROC_NULL, UNDEFINED};
use crate::error::Result;

impl Group {
    /// `MPI_Group_translate_ranks`: the rank that the process of `rank` has in `other`, or `UNDEFINED` if it is not there.
    /// `PROC_NULL` is itself in every group.
    pub fn translate(&self, rank: i32, other: &Group) -> Result<i32> {
        if rank == PROC_NULL {
            return Ok(PROC_NULL);
        }
        if rank < 0 || rank as usize >= self.size() {
            return Err(self.no_such_rank(i64::from(rank)));
        }
        if std::ptr::eq(self, other) {
            return Ok(rank);
        }
        Ok(other.rank_of(self.peer(rank as usize)).map_or(UNDEFINED, |rank| rank as i32))
    }
}
