//! Allgather by recursive doubling, for a power of two of members and even blocks: in round `k` partners at distance `2^k` exchange the
//! `2^k` blocks that each has, which lie one after the other.

use super::Own;
use crate::coll::blocks::Blocks;
use crate::coll::cx::Cx;
use crate::error::Result;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, own: &Own<'_>, recv: &Blocks<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    assert!(size.is_power_of_two());
    let mut distance = 1;
    while distance < size {
        let partner = rank ^ distance;
        let first = |rank: usize| rank & !(distance - 1);
        let (ours, theirs) = (recv.run(first(rank), distance), recv.run(first(partner), distance));
        let ours = if distance == 1 { own.block() } else { ours };
        let exchange = cx.begin_sendrecv(ours, partner, theirs, partner);
        if distance == 1 {
            own.settle(cx);
        }
        cx.end_sendrecv(exchange).await;
        distance *= 2;
    }
    cx.outcome()
}
