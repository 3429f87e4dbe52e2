//! What the engine asks of the process around it.

use crate::waiting::Waiting;

/// The clock, the status line and the way out: the engine has none of its own, so that many processes fit into one test.
pub trait Host: Send + Sync {
    /// Seconds since some time in the past, as `MPI_Wtime` returns them.
    fn wtime(&self) -> f64;

    /// A call has waited for a while, for this; told once more whenever something has come in the meantime. Off the fast path.
    fn waits(&self, waiting: &Waiting);

    /// The call goes on. Only after [`waits`](Self::waits).
    fn goes_on(&self);

    /// Whether a wait is shown: another thread's call may have gone on since.
    fn is_waiting(&self) -> bool;

    /// Calls that only ask (`MPI_Test`) have asked for this in vain so often, one after the other. `moved`: other calls have got something
    /// done since this was told last. Off the fast path.
    fn asks(&self, waiting: &Waiting, times: u32, moved: bool);

    /// Something has come. Only after [`asks`](Self::asks).
    fn has_asked(&self);

    /// Ends the job with `code`, telling the launcher why (MPI 5.0 section 9.6). Does not return.
    fn abort(&self, code: i32) -> !;

    /// Which node this process runs on, in a number: processes that can share memory have the same.
    fn node(&self) -> u64;

    /// Name of this node for people (`MPI_Get_processor_name`).
    fn processor_name(&self) -> String;
}
