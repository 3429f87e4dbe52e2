//! Allgather of small blocks in ⌈log2 n⌉ rounds for any number of members (Bruck et al., 1997).
//!
//! Everyone collects the blocks, packed, in the order that starts with its own. In round `k` it sends the first `2^k` of them to the
//! member at distance `2^k` before it and receives those that follow its own from the member as far behind.

use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;
use smallvec::SmallVec;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, recv: &Blocks<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let owner = |index: usize| (rank + index) % size;
    // Where block `index` of this order starts.
    let mut starts = SmallVec::<[usize; 17]>::with_capacity(size + 1);
    starts.push(0);
    for index in 0..size {
        starts.push(starts[index] + recv.block(owner(index)).bytes() as usize);
    }
    let scratch = cx.scratch_bytes(starts[size] as u64);
    let packed = scratch.buf();
    let blocks = |from: usize, to: usize| packed.slice(starts[from], starts[to] - starts[from]);
    recv.block(rank).copy_to(&blocks(0, 1));
    let mut distance = 1;
    while distance < size {
        let count = distance.min(size - distance);
        let to = (rank + size - distance) % size;
        let from = owner(distance);
        cx.note(cx.sendrecv(blocks(0, count), to, blocks(distance, distance + count), from).await);
        distance *= 2;
    }
    for index in 1..size {
        blocks(index, index + 1).copy_to(&recv.block(owner(index)));
    }
    cx.outcome()
}
