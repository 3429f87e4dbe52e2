//! Reduce of long vectors: a reduce-scatter by recursive halving, then the finished ranges are gathered at the root (Rabenseifner, 2004).

use super::halving::Halving;
use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::coll::fold::{Fold, Part};
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op, root: usize) -> Result<()> {
    let rank = cx.rank();
    let fold = Fold::new(cx.size());
    // Where the ranges are gathered: with the root, or with the one that stands for it.
    let (top, root_stands) = match fold.part(root) {
        Part::Stands { place, .. } => (place, true),
        Part::Gives { to } => match fold.part(to) {
            Part::Stands { place, .. } => (place, false),
            Part::Gives { .. } => unreachable!("who is given to stands"),
        },
    };
    match fold.part(rank) {
        Part::Gives { to } => {
            cx.note(cx.send(send, to).await);
            if rank == root {
                cx.note(cx.recv(recv, to).await);
            }
        }
        Part::Stands { place, with } => {
            let own = cx.scratch(if rank == root { 0 } else { send.count() }, send.ty());
            let data = if rank == root { recv } else { own.buf() };
            if data.addr() != send.addr() {
                send.copy_to(&data);
            }
            let scratch = cx.scratch(send.count(), send.ty());
            if let Some(with) = with {
                cx.note(cx.recv(scratch.buf(), with).await);
                cx.apply(op, &scratch.buf(), &data);
            }
            let halving = Halving { fold, place };
            halving.reduce(cx, data, scratch.buf(), op).await;
            halving.gather_to(cx, data, top).await;
            if place == top && !root_stands {
                cx.note(cx.send(data, root).await);
            }
        }
    }
    cx.outcome()
}
