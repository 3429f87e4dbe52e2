//! Reduce-scatter of short vectors by operations that commute, in ⌈log2 n⌉ rounds: in each, partners send each other the half of the blocks
//! that the other is to end up with, and reduce the half they keep.
//!
//! Far partners come first, so that a member ends with the block of its own place.

use super::Vector;
use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::coll::fold::{Fold, Part};
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, vector: Vector<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    let fold = Fold::new(cx.size());
    let (place, with) = match fold.part(cx.rank()) {
        Part::Gives { to } => {
            cx.note(cx.send(vector.whole, to).await);
            cx.note(cx.recv(recv, to).await);
            return cx.outcome();
        }
        Part::Stands { place, with } => (place, with),
    };
    let count = vector.whole.count();
    let (own, scratch) = (cx.scratch(count, recv.ty()), cx.scratch(count, recv.ty()));
    let ours = Vector { whole: own.buf(), ..vector };
    let theirs = Vector { whole: scratch.buf(), ..vector };
    vector.whole.copy_to(&ours.whole);
    if let Some(with) = with {
        cx.note(cx.recv(theirs.whole, with).await);
        cx.apply(op, &theirs.whole, &ours.whole);
    }
    let mut half = fold.places / 2;
    while half > 0 {
        let partner = place ^ half;
        // The places that share the bits above with this one, on its side and on the partner's.
        let side = |place: usize| {
            let first = place & !(half - 1);
            fold.ranks(first, first + half)
        };
        let (kept, given) = (side(place), side(partner));
        let rank = fold.rank(partner);
        let (mine, came) = (ours.blocks(kept.start, kept.end), theirs.blocks(kept.start, kept.end));
        cx.note(cx.sendrecv(ours.blocks(given.start, given.end), rank, came, rank).await);
        cx.apply(op, &came, &mine);
        half /= 2;
    }
    if let Some(with) = with {
        cx.note(cx.send(ours.block(with), with).await);
    }
    ours.block(cx.rank()).copy_to(&recv);
    cx.outcome()
}
