//! Gather in which everyone sends to the root: no data travels twice.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::cx::{Cx, Pending};
use crate::coll::root::Root;
use crate::error::Result;
use smallvec::SmallVec;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: Option<Buf<'_>>, recv: Option<&Blocks<'_>>, root: usize) -> Result<()> {
    match recv {
        Some(recv) if cx.rank() == root => {
            let receives = receive_all(cx, recv, Some(root));
            if let Some(send) = send {
                cx.copy(&send, &recv.block(root));
            }
            cx.join(receives).await;
        }
        _ => {
            if let Some(send) = send {
                cx.note(cx.send(send, root).await);
            }
        }
    }
    cx.outcome()
}

/// Gathers from the other group.
///
/// # Errors
/// Those of the messages.
pub async fn across(cx: &Cx<'_>, send: Option<Buf<'_>>, recv: Option<&Blocks<'_>>, root: Root) -> Result<()> {
    match (root, send, recv) {
        (Root::Here, _, Some(recv)) => cx.join(receive_all(cx, recv, None)).await,
        (Root::Rank(root), Some(send), _) => {
            cx.note(cx.send(send, root).await);
        }
        _ => {}
    }
    cx.outcome()
}

fn receive_all<'a>(cx: &Cx<'a>, recv: &Blocks<'_>, except: Option<usize>) -> SmallVec<[Pending<'a>; 8]> {
    let others = (0..recv.len()).filter(|rank| Some(*rank) != except);
    others.filter_map(|rank| cx.note(cx.irecv(recv.block(rank), rank))).collect()
}
