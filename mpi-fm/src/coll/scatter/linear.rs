//! Scatter in which the root sends to everyone: no data travels twice.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::cx::{Cx, Pending};
use crate::coll::root::Root;
use crate::error::Result;
use smallvec::SmallVec;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: Option<&Blocks<'_>>, recv: Option<Buf<'_>>, root: usize) -> Result<()> {
    match send {
        Some(send) if cx.rank() == root => {
            let sends = send_all(cx, send, Some(root));
            if let Some(recv) = recv {
                cx.copy(&send.block(root), &recv);
            }
            cx.join(sends).await;
        }
        _ => {
            if let Some(recv) = recv {
                cx.note(cx.recv(recv, root).await);
            }
        }
    }
    cx.outcome()
}

/// Scatters to the other group.
///
/// # Errors
/// Those of the messages.
pub async fn across(cx: &Cx<'_>, send: Option<&Blocks<'_>>, recv: Option<Buf<'_>>, root: Root) -> Result<()> {
    match (root, send, recv) {
        (Root::Here, Some(send), _) => cx.join(send_all(cx, send, None)).await,
        (Root::Rank(root), _, Some(recv)) => {
            cx.note(cx.recv(recv, root).await);
        }
        _ => {}
    }
    cx.outcome()
}

fn send_all<'a>(cx: &Cx<'a>, send: &Blocks<'_>, except: Option<usize>) -> SmallVec<[Pending<'a>; 8]> {
    let others = (0..send.len()).filter(|rank| Some(*rank) != except);
    others.filter_map(|rank| cx.note(cx.isend(send.block(rank), rank))).collect()
}
