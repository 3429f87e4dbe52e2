//! Reduce-scatter of long vectors by operations that commute: in step `k` everyone sends its part of the block that the member `k` after it
//! wants, and reduces what comes from the member `k` before it.

use super::Vector;
use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, vector: Vector<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let own = vector.block(rank);
    let (first, second) = (cx.scratch(recv.count(), recv.ty()), cx.scratch(recv.count(), recv.ty()));
    // Not in `recv`: in place, that is where others' blocks wait to be sent.
    let result = first.buf();
    own.copy_to(&result);
    for step in 1..size {
        let (to, from) = ((rank + step) % size, (rank + size - step) % size);
        cx.note(cx.sendrecv(vector.block(to), to, second.buf(), from).await);
        cx.apply(op, &second.buf(), &result);
    }
    result.copy_to(&recv);
    cx.outcome()
}
