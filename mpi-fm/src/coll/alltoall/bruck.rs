//! Alltoall of small blocks in ⌈log2 n⌉ rounds (Bruck et al., 1997): a block that has to travel a distance goes there in hops of powers
//! of two, in each round together with all others whose distance has that bit.

use super::outgoing::Outgoing;
use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;

/// `block` is the packed size of every block.
///
/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, send: &Outgoing<'_>, recv: &Blocks<'_>, block: u64) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let block = block as usize;
    // By distance still to go at the start; then, what came instead.
    let held = cx.scratch_bytes((block * size) as u64);
    let held = held.buf();
    let at = |distance: usize| held.slice(distance * block, block);
    // Half of them at most travel in one round, once more for those that come.
    let half = block * size.div_ceil(2);
    let (out, into) = (cx.scratch_bytes(half as u64), cx.scratch_bytes(half as u64));
    let (out, into) = (out.buf(), into.buf());

    for distance in 0..size {
        send.block((rank + distance) % size).copy_to(&at(distance));
    }
    let mut hop = 1;
    while hop < size {
        let travelling = || (1..size).filter(|distance| distance & hop != 0).enumerate();
        let mut bytes = 0;
        for (index, distance) in travelling() {
            at(distance).copy_to(&out.slice(index * block, block));
            bytes += block;
        }
        let (to, from) = ((rank + hop) % size, (rank + size - hop) % size);
        cx.note(cx.sendrecv(out.slice(0, bytes), to, into.slice(0, bytes), from).await);
        for (index, distance) in travelling() {
            into.slice(index * block, block).copy_to(&at(distance));
        }
        hop *= 2;
    }
    // What travelled a distance comes from the member that far behind.
    for distance in 0..size {
        at(distance).copy_to(&recv.block((rank + size - distance) % size));
    }
    cx.outcome()
}
