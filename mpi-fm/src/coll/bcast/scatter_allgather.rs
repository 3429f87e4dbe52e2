//! Broadcast of long messages: the root scatters the data down a binomial tree, then the pieces go round a ring. Every member sends
//! and receives about the message's length twice, however many there are (van de Geijn, 1994).
//!
//! Pieces are ranges of the packed data, so that any datatype and count will do; data with holes is packed on the way.

use crate::buf::Buf;
use crate::coll::cx::Cx;
use crate::error::Result;

/// # Errors
/// Those of the messages.
pub async fn run(cx: &Cx<'_>, data: Buf<'_>, root: usize) -> Result<()> {
    let (size, bytes) = (cx.size(), data.bytes());
    let place = (cx.rank() + size - root) % size;
    let rank_of = |place: usize| (place + root) % size;
    let direct = cx.as_bytes(&data);
    let scratch = cx.scratch_bytes(if direct.is_some() { 0 } else { bytes });
    let packed = direct.unwrap_or_else(|| scratch.buf());
    if place == 0 && direct.is_none() {
        data.copy_to(&packed);
    }
    let bound = |place: usize| (place as u64 * bytes / size as u64) as usize;
    let pieces = |from: usize, to: usize| packed.slice(bound(from), bound(to) - bound(from));

    let top = size.next_power_of_two();
    let reach = if place == 0 { top } else { 1 << place.trailing_zeros() };
    if place != 0 {
        cx.note(cx.recv(pieces(place, (place + reach).min(size)), rank_of(place - reach)).await);
    }
    let mut sends = Vec::new();
    let mut distance = reach / 2;
    while distance > 0 {
        let child = place + distance;
        if child < size {
            sends.extend(cx.note(cx.isend(pieces(child, (child + distance).min(size)), rank_of(child))));
        }
        distance /= 2;
    }
    cx.join(sends).await;

    let (next, before) = (rank_of((place + 1) % size), rank_of((place + size - 1) % size));
    for step in 0..size - 1 {
        let ours = (place + size - step) % size;
        let theirs = (place + size - step - 1) % size;
        cx.note(cx.sendrecv(pieces(ours, ours + 1), next, pieces(theirs, theirs + 1), before).await);
    }
    if place != 0 && direct.is_none() {
        packed.copy_to(&data);
    }
    cx.outcome()
}
