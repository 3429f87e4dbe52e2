//! Broadcast down a binomial tree: whoever has the data hands it to the farthest member not served yet, ⌈log2 n⌉ rounds.

use crate::buf::Buf;
use crate::coll::cx::{Cx, Pending};
use crate::error::Result;
use smallvec::SmallVec;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, data: Buf<'_>, root: usize) -> Result<()> {
    let size = cx.size();
    let place = (cx.rank() + size - root) % size;
    let rank_of = |place: usize| (place + root) % size;
    // The lowest set bit of a place leads to the one above it in the tree; the root has all bits below `top` to serve.
    let top = size.next_power_of_two();
    let reach = if place == 0 { top } else { 1 << place.trailing_zeros() };
    if place != 0 {
        cx.note(cx.recv(data, rank_of(place - reach)).await);
    }
    let mut sends = SmallVec::<[Pending<'_>; 8]>::new();
    let mut distance = reach / 2;
    while distance > 0 {
        if place + distance < size {
            sends.extend(cx.note(cx.isend(data, rank_of(place + distance))));
        }
        distance /= 2;
    }
    cx.join(sends).await;
    cx.outcome()
}
