//! Leaving: nothing that was accepted is lost (MPI 5.0 section 11.2.2).

use crate::coll::{Cx, Operation, barrier};
use crate::error::Result;
use crate::part::Side;
use crate::process::Process;
use crate::request::State;
use crate::waiting::Waiting;

impl Process {
    /// Completes the sends that were let go, then waits for all processes: after that nobody sends to this one any more.
    ///
    /// # Errors
    /// Those of the messages.
    pub fn finalize(&self) -> Result<()> {
        let world = self.world();
        self.drain();
        let cx = Cx::begin(self, world, Operation::Finalize);
        self.block_on(world.handle, barrier::dissemination(&cx))?;
        self.drain();
        Ok(())
    }

    /// The last user of this process, the World Model or a session, goes: what it sent is on its way and will arrive.
    pub fn close(&self) {
        self.drain();
        // A network that loses packets may have to send some again.
        self.wait_until(|| Waiting::UNKNOWN, || self.fm.close());
    }

    /// Completes the sends that were let go. What has left this process needs it no more, so that the end of the last session waits for
    /// nobody else (MPI 5.0 section 11.3.1).
    pub fn drain(&self) {
        self.wait_until(|| self.waits_for_sends(), || !self.has_work_to_push() && !self.has_sends_let_go());
    }

    /// Buffered sends, and requests freed before they were complete.
    fn has_sends_let_go(&self) -> bool {
        self.requests.iter().any(|(_, request)| {
            let inner = request.inner.lock();
            !inner.held
                && match &inner.state {
                    State::Sending { .. } => true,
                    State::Partitioned(partitioned) => partitioned.active && matches!(partitioned.side, Side::Send(_)),
                    _ => false,
                }
        })
    }
}
