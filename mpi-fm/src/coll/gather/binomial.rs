//! Gather of small blocks up a binomial tree: ⌈log2 n⌉ rounds, and the root receives that many messages instead of `n - 1`.
//!
//! On the way the blocks are packed, in the order of places in the tree (the root's is 0).

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;

/// `block` is the packed size of each member's block.
///
/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: Option<Buf<'_>>, recv: Option<&Blocks<'_>>, root: usize, block: u64) -> Result<()> {
    let size = cx.size();
    let place = (cx.rank() + size - root) % size;
    let rank_of = |place: usize| (place + root) % size;
    let top = size.next_power_of_two();
    let reach = if place == 0 { top } else { 1 << place.trailing_zeros() };
    // This member collects the places from its own on to `end`.
    let end = (place + reach).min(size);

    if end - place == 1 {
        // A leaf sends its block as it lies.
        if let Some(send) = send.filter(|_| place != 0) {
            cx.note(cx.send(send, rank_of(place - reach)).await);
            return cx.outcome();
        }
    }
    let scratch = cx.scratch_bytes(block * (end - place) as u64);
    let packed = scratch.buf();
    let blocks = |from: usize, to: usize| packed.slice((from - place) * block as usize, (to - from) * block as usize);
    let mut receives = Vec::new();
    let mut distance = 1;
    while distance < reach && place + distance < size {
        let child = place + distance;
        receives.extend(cx.note(cx.irecv(blocks(child, (child + distance).min(size)), rank_of(child))));
        distance *= 2;
    }
    match recv {
        Some(recv) if place == 0 => {
            if let Some(send) = send {
                cx.copy(&send, &recv.block(root));
            }
            cx.join(receives).await;
            for place in 1..size {
                blocks(place, place + 1).copy_to(&recv.block(rank_of(place)));
            }
        }
        _ => {
            if let Some(send) = send {
                send.copy_to(&blocks(place, place + 1));
            }
            cx.join(receives).await;
            cx.note(cx.send(packed, rank_of(place - reach)).await);
        }
    }
    cx.outcome()
}
