//! Alltoall of large blocks: in step `k` everyone sends to the member `k` after it and receives from the one `k` before, so that each
//! has one message each way under way.

use super::outgoing::Outgoing;
use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: &Outgoing<'_>, recv: &Blocks<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    cx.copy(&send.block(rank), &recv.block(rank));
    for step in 1..size {
        let to = (rank + step) % size;
        let from = (rank + size - step) % size;
        cx.note(cx.sendrecv(send.block(to), to, recv.block(from), from).await);
    }
    cx.outcome()
}
