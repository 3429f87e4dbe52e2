//! Allreduce of short vectors by recursive doubling: in round `k` partners at distance `2^k` exchange what they have and both reduce it,
//! the lower rank's operand on the left.

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::coll::fold::{Fold, Part};
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, data: Buf<'_>, op: &Op) -> Result<()> {
    let fold = Fold::new(cx.size());
    let (place, with) = match fold.part(cx.rank()) {
        Part::Gives { to } => {
            cx.note(cx.send(data, to).await);
            cx.note(cx.recv(data, to).await);
            return cx.outcome();
        }
        Part::Stands { place, with } => (place, with),
    };
    let scratch = cx.scratch(data.count(), data.ty());
    // The reduction lands on the right operand, so the two buffers change their parts.
    let (mut ours, mut theirs) = (data, scratch.buf());
    if let Some(with) = with {
        cx.note(cx.recv(theirs, with).await);
        cx.apply(op, &theirs, &ours);
    }
    let mut distance = 1;
    while distance < fold.places {
        let partner = place ^ distance;
        let rank = fold.rank(partner);
        cx.note(cx.sendrecv(ours, rank, theirs, rank).await);
        if partner < place {
            cx.apply(op, &theirs, &ours);
        } else {
            cx.apply(op, &ours, &theirs);
            (ours, theirs) = (theirs, ours);
        }
        distance *= 2;
    }
    if ours.addr() != data.addr() {
        ours.copy_to(&data);
    }
    if let Some(with) = with {
        cx.note(cx.send(data, with).await);
    }
    cx.outcome()
}
