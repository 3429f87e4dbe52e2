//! Reduce of short vectors up a binomial tree.
//!
//! Each member reduces the results of its children, whose subtrees hold the ranks that follow its own, to the right of its own part. Where
//! the operation commutes the tree stands at the root; otherwise at rank 0, so that the order of ranks is kept, and the result moves
//! once more.

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op, root: usize) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let top = if op.is_commutative() { root } else { 0 };
    let place = (rank + size - top) % size;
    let rank_of = |place: usize| (place + top) % size;

    let scratches = (scratch(cx, place, &send, 0), scratch(cx, place, &send, 1));
    // The reduction lands on the right operand, which is what has come: then the next comes into the other scratch.
    let mut ours = send;
    let (mut free, mut other) = (scratches.0.buf(), scratches.1.buf());
    let mut distance = 1;
    while place & distance == 0 && place + distance < size {
        cx.note(cx.recv(free, rank_of(place + distance)).await);
        cx.apply(op, &ours, &free);
        ours = free;
        (free, other) = (other, free);
        distance *= 2;
    }
    if place != 0 {
        let parent = place & (place - 1);
        cx.note(cx.send(ours, rank_of(parent)).await);
    } else if rank != root {
        cx.note(cx.send(ours, root).await);
    } else if ours.addr() != recv.addr() {
        ours.copy_to(&recv);
    }
    if rank == root && place != 0 && top != root {
        cx.note(cx.recv(recv, top).await);
    }
    cx.outcome()
}

/// A scratch for the results of children, if there are more than `number` of them.
fn scratch<'t>(cx: &Cx<'_>, place: usize, send: &Buf<'t>, number: u32) -> crate::coll::scratch::Scratch<'t> {
    let has_child = |number: u32| {
        let distance = 1 << number;
        place & (2 * distance - 1) == 0 && place + distance < cx.size()
    };
    cx.scratch(if has_child(number) { send.count() } else { 0 }, send.ty())
}
