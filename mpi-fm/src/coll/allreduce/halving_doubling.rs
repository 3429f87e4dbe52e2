//! Allreduce of long vectors: a reduce-scatter by recursive halving, then an allgather by recursive doubling back the same way, so that
//! everyone sends and reduces about the vector's length once (Rabenseifner, 2004).

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::coll::fold::{Fold, Part};
use crate::coll::reduce::halving::Halving;
use crate::error::Result;
use crate::op::Op;

/// # Errors
/// Those of the messages and the operation.
pub async fn run(cx: &Cx<'_>, data: Buf<'_>, op: &Op) -> Result<()> {
    let fold = Fold::new(cx.size());
    match fold.part(cx.rank()) {
        Part::Gives { to } => {
            cx.note(cx.send(data, to).await);
            cx.note(cx.recv(data, to).await);
        }
        Part::Stands { place, with } => {
            let scratch = cx.scratch(data.count(), data.ty());
            let halving = Halving { fold, place };
            if let Some(with) = with {
                cx.note(cx.recv(scratch.buf(), with).await);
                cx.apply(op, &scratch.buf(), &data);
            }
            halving.reduce(cx, data, scratch.buf(), op).await;
            halving.gather_to_all(cx, data).await;
            if let Some(with) = with {
                cx.note(cx.send(data, with).await);
            }
        }
    }
    cx.outcome()
}
