//! What the engine asks of the process around it.

/// Which call waits for whom: for the launcher's reports, not for decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    /// Handle of the communicator.
    pub comm: u32,
    /// Rank in it, or a negative constant of the standard.
    pub peer: i32,
    pub tag: i32,
}

/// The clock, the status line and the way out: the engine has none of its own, so that many processes fit into one test.
pub trait Host: Send + Sync {
    /// Seconds since some time in the past, as `MPI_Wtime` returns them.
    fn wtime(&self) -> f64;

    /// A call has waited for a while; `None` when it goes on. Off the fast path.
    fn waiting(&self, waiting: Option<Waiting>);

    /// Ends the job with `code`, telling the launcher why (MPI 5.0 section 9.6). Does not return.
    fn abort(&self, code: i32) -> !;

    /// Which node this process runs on, in a number: processes that can share memory have the same.
    fn node(&self) -> u64;

    /// Name of this node for people (`MPI_Get_processor_name`).
    fn processor_name(&self) -> String;
}
