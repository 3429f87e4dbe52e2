//! Allgather round a ring: in each of `n - 1` steps everyone passes on to the right what came from the left the step before. Every
//! byte goes straight to its place, and only neighbours talk.

use super::Own;
use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, own: &Own<'_>, recv: &Blocks<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let (next, before) = ((rank + 1) % size, (rank + size - 1) % size);
    for step in 0..size - 1 {
        let ours = if step == 0 { own.block() } else { recv.block((rank + size - step) % size) };
        let theirs = recv.block((rank + size - step - 1) % size);
        let exchange = cx.begin_sendrecv(ours, next, theirs, before);
        if step == 0 {
            own.settle(cx);
        }
        cx.end_sendrecv(exchange).await;
    }
    cx.outcome()
}
