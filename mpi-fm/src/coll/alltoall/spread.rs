//! Alltoall with all messages at once. Members begin with different partners, lest all send to the same one first.

use super::outgoing::Outgoing;
use crate::coll::blocks::Blocks;
use crate::coll::cx::{Cx, Pending};
use crate::error::Result;
use smallvec::SmallVec;

/// Exchanges blocks with all of the group that messages go to; `own`: this process is in it.
///
/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: &Outgoing<'_>, recv: &Blocks<'_>, own: bool) -> Result<()> {
    let (rank, targets) = (cx.rank(), cx.targets());
    let first = usize::from(own);
    let mut pending = SmallVec::<[Pending<'_>; 16]>::with_capacity(2 * targets);
    for step in first..targets {
        // The first to send to this member is the one it receives from first.
        let from = (rank % targets + targets - step) % targets;
        pending.extend(cx.note(cx.irecv(recv.block(from), from)));
    }
    for step in first..targets {
        let to = (rank + step) % targets;
        pending.extend(cx.note(cx.isend(send.block(to), to)));
    }
    if own {
        cx.copy(&send.block(rank), &recv.block(rank));
    }
    cx.join(pending).await;
    cx.outcome()
}
