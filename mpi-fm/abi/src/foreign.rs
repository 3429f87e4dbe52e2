//! Starting under the launcher of another MPI.
//!
//! `hpvmrun` makes memory and sockets before the ranks and hands them down. Other launchers only carry words: each rank puts some into a table,
//! all enter a barrier, and then each may get what others have put. What `hpvmrun` would have made the ranks make here for each other:
//!
//! 1. [`Manager`] is such a launcher as a rank sees it; [`pmi`] speaks with `mpiexec.hydra` and `srun --mpi=pmi2`, [`pmix`]
//!    with `srun --mpi=pmix`.
//! 2. [`card`]: what a rank tells of itself; [`addresses`]: those at which it can be called, and which of them another one takes.
//! 3. [`handover`]: shared memory between ranks that have no parent in common.
//! 4. [`meeting`]: from cards to a [`Met`], which is to [`reach`](crate::reach) what `hpvmrun`'s environment is otherwise.
//! 5. [`leaving`]: a rank that exits without `MPI_Finalize` says so, since these launchers do not.

pub mod addresses;
pub mod card;
pub mod handover;
pub mod leaving;
pub mod meeting;
pub mod pmi;
pub mod pmix;

pub use meeting::Met;

use mpi_fm::Result;
use std::time::Duration;

/// For a launcher to pass on what a rank has said last: it forgets that when it ends the job.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What a launcher says of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    pub rank: u32,
    pub size: u32,
    /// `MPI_APPNUM`, where the launcher knows it (MPI 5.0 section 11.10.3).
    pub appnum: Option<i32>,
    /// `MPI_UNIVERSE_SIZE`, where the launcher knows it (MPI 5.0 section 11.10.1).
    pub universe_size: Option<i32>,
}

/// Another MPI's launcher.
pub trait Manager: Send + Sync {
    fn world(&self) -> World;

    /// Lets the other ranks [`get`](Self::get) a value after the next [`fence`](Self::fence). Values are short and without spaces.
    fn put(&self, key: &str, value: &str) -> Result<()>;

    /// Returns when all ranks have called it.
    fn fence(&self) -> Result<()>;

    /// What `rank` has put.
    fn get(&self, rank: u32, key: &str) -> Result<String>;

    /// This rank needs the others no more: it may exit.
    fn finalize(&self);

    /// The job is to end.
    fn abort(&self, code: i32);
}

/// The launcher that has started this process, if it is one that the library speaks with.
///
/// # Errors
/// `MPI_ERR_OTHER` when the environment says so, and the launcher does not answer as it should.
pub fn find() -> Result<Option<Box<dyn Manager>>> {
    let get = |name: &str| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned());
    if let Some(manager) = pmi::Pmi::find(get)? {
        return Ok(Some(Box::new(manager)));
    }
    Ok(pmix::Pmix::find(get)?.map(|manager| Box::new(manager) as Box<dyn Manager>))
}
