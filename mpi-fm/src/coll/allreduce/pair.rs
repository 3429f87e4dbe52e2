//! Allreduce of two members: each sends its whole vector out of its own buffer, and reduces what comes.
//!
//! Halving would move as many bytes, and wait twice. Both compute every item from the same operands in the same order: rank 0's on
//! the left, so that it can reduce in the receive buffer, while rank 1 has its own vector there. For predefined operations: a user's might
//! write to its left operand, which is the program's send buffer.

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    if cx.rank() == 0 {
        let exchange = cx.begin_sendrecv(send, 1, recv, 1);
        cx.end_sendrecv(exchange).await;
        cx.apply(op, &send, &recv);
    } else {
        let scratch = cx.scratch(recv.count(), recv.ty());
        let exchange = cx.begin_sendrecv(send, 0, scratch.buf(), 0);
        send.copy_to(&recv);
        cx.end_sendrecv(exchange).await;
        cx.apply(op, &scratch.buf(), &recv);
    }
    cx.outcome()
}
