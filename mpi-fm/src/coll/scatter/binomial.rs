//! Scatter of small blocks down a binomial tree: ⌈log2 n⌉ rounds, and the root sends that many messages instead of `n - 1`.
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
pub async fn run(cx: &Cx<'_>, send: Option<&Blocks<'_>>, recv: Option<Buf<'_>>, root: usize, block: u64) -> Result<()> {
    let size = cx.size();
    let place = (cx.rank() + size - root) % size;
    let rank_of = |place: usize| (place + root) % size;
    let top = size.next_power_of_two();
    let reach = if place == 0 { top } else { 1 << place.trailing_zeros() };
    // The blocks of the places from this member's own on to `end` come through here.
    let end = (place + reach).min(size);

    if end - place == 1 {
        // A leaf receives its block to where it belongs.
        if let Some(recv) = recv.filter(|_| place != 0) {
            cx.note(cx.recv(recv, rank_of(place - reach)).await);
            return cx.outcome();
        }
    }
    let scratch = cx.scratch_bytes(block * (end - place) as u64);
    let packed = scratch.buf();
    let blocks = |from: usize, to: usize| packed.slice((from - place) * block as usize, (to - from) * block as usize);
    match send {
        Some(send) if place == 0 => {
            for place in 1..size {
                cx.copy(&send.block(rank_of(place)), &blocks(place, place + 1));
            }
        }
        _ => {
            cx.note(cx.recv(packed, rank_of(place - reach)).await);
        }
    }
    let mut sends = Vec::new();
    let mut distance = reach / 2;
    while distance > 0 {
        let child = place + distance;
        if child < size {
            sends.extend(cx.note(cx.isend(blocks(child, (child + distance).min(size)), rank_of(child))));
        }
        distance /= 2;
    }
    if let Some(recv) = recv {
        match send {
            Some(send) if place == 0 => cx.copy(&send.block(root), &recv),
            _ => {
                blocks(place, place + 1).copy_to(&recv);
            }
        }
    }
    cx.join(sends).await;
    cx.outcome()
}
