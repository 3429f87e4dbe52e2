//! What a completed operation tells.

use crate::constants::{ANY_SOURCE, ANY_TAG, PROC_NULL};
use crate::error::Error;

/// The contents of an `MPI_Status`, but for its error field (MPI 5.0 section 3.2.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status {
    /// Rank in the communicator, in the remote group of an intercommunicator.
    pub source: i32,
    pub tag: i32,
    /// Packed bytes received.
    pub bytes: u64,
    pub cancelled: bool,
}

impl Status {
    /// For a null or inactive request, and for operations without a message (MPI 5.0 section 3.7.3).
    pub const EMPTY: Status = Status { source: ANY_SOURCE, tag: ANY_TAG, bytes: 0, cancelled: false };
    /// For a receive from `MPI_PROC_NULL` (MPI 5.0 section 3.10).
    pub const PROC_NULL: Status = Status { source: PROC_NULL, tag: ANY_TAG, bytes: 0, cancelled: false };
}

/// How an operation ended: its status, and the error it ran into if any. A status is filled also with an error.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub status: Status,
    pub error: Option<Error>,
}

impl Outcome {
    pub const EMPTY: Outcome = Outcome { status: Status::EMPTY, error: None };

    /// Hands the outcome on; what stays owns nothing.
    #[inline]
    pub fn take(&mut self) -> Outcome {
        Outcome { status: self.status, error: self.error.take() }
    }
}
