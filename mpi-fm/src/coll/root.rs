//! Roots of rooted collectives.

use crate::bail;
use crate::comm::Comm;
use crate::constants::{PROC_NULL, ROOT};
use crate::error::Result;

/// Who the root is, seen from this process (MPI 5.0 section 6.2.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Root {
    /// In an intracommunicator: a rank of the group. In an intercommunicator: one of the remote group.
    Rank(usize),
    /// In an intercommunicator: this process.
    Here,
    /// In an intercommunicator: another process of the local group. There is nothing to do.
    Beside,
}

impl Root {
    /// The root argument of a call.
    ///
    /// # Errors
    /// `MPI_ERR_ROOT`
    #[inline]
    pub fn of(comm: &Comm, root: i32) -> Result<Root> {
        if root >= 0 && (root as usize) < comm.reach() { Ok(Root::Rank(root as usize)) } else { Root::no_rank(comm, root) }
    }

    #[cold]
    fn no_rank(comm: &Comm, root: i32) -> Result<Root> {
        let size = comm.reach();
        match root {
            ROOT if comm.is_inter() => Ok(Root::Here),
            PROC_NULL if comm.is_inter() => Ok(Root::Beside),
            ROOT | PROC_NULL => {
                bail!(ROOT, "the root {} is for intercommunicators, {} is not one", name(root), comm.describe())
            }
            _ => bail!(ROOT, "the root {root} is not in {}, which has ranks 0 to {}", comm.describe(), size - 1),
        }
    }

    /// This process is the root.
    #[inline]
    pub fn is_here(self, comm: &Comm) -> bool {
        match self {
            Root::Here => true,
            Root::Rank(rank) => !comm.is_inter() && rank == comm.rank,
            Root::Beside => false,
        }
    }

    /// The root's rank in its own group; `None` for those beside it, who send and receive nothing.
    #[inline]
    pub fn rank(self, comm: &Comm) -> Option<usize> {
        match self {
            Root::Rank(rank) => Some(rank),
            Root::Here => Some(comm.rank),
            Root::Beside => None,
        }
    }
}

fn name(root: i32) -> &'static str {
    if root == ROOT { "MPI_ROOT" } else { "MPI_PROC_NULL" }
}
