//! Scans by doubling: before the round with distance `d`, every member has reduced the `d` ranks that end with its own (or as many as there
//! are); it passes that on to the member `d` further, and puts what it gets to the left of its own (Hillis and Steele, 1986).

use crate::buf::Buf;
use crate::coll::cx::{Cx, Pending};
use crate::error::Result;
use crate::op::Op;
use smallvec::SmallVec;

/// Replaces this member's part in `data` by the result.
///
/// # Errors
/// Those of the messages and the operation.
pub async fn inclusive(cx: &Cx<'_>, data: Buf<'_>, op: &Op) -> Result<()> {
    let scratch = cx.scratch(data.count(), data.ty());
    let theirs = scratch.buf();
    let mut distance = 1;
    while distance < cx.size() {
        if pass_on(cx, distance, data, theirs).await {
            cx.apply(op, &theirs, &data);
        }
        distance *= 2;
    }
    cx.outcome()
}

/// Puts the result of the ranks before this one into `recv`; that of rank 0 is left alone. `send` may be `recv`.
///
/// # Errors
/// Those of the messages and the operation.
pub async fn exclusive(cx: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    let own = cx.scratch(recv.count(), recv.ty());
    let scratch = cx.scratch(recv.count(), recv.ty());
    let (data, theirs) = (own.buf(), scratch.buf());
    send.copy_to(&data);
    let mut distance = 1;
    while distance < cx.size() {
        if pass_on(cx, distance, data, theirs).await {
            if distance == 1 {
                theirs.copy_to(&recv);
            } else {
                cx.apply(op, &theirs, &recv);
            }
            cx.apply(op, &theirs, &data);
        }
        distance *= 2;
    }
    cx.outcome()
}

/// One round; whether something came.
async fn pass_on(cx: &Cx<'_>, distance: usize, data: Buf<'_>, theirs: Buf<'_>) -> bool {
    let (rank, size) = (cx.rank(), cx.size());
    let from = rank.checked_sub(distance);
    let mut pending = SmallVec::<[Pending<'_>; 2]>::new();
    pending.extend(from.and_then(|from| cx.note(cx.irecv(theirs, from))));
    let to = Some(rank + distance).filter(|to| *to < size);
    pending.extend(to.and_then(|to| cx.note(cx.isend(data, to))));
    cx.join(pending).await;
    from.is_some()
}
