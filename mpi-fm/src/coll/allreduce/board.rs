//! Allreduce on a board. Short vectors: everyone shows its own, and reduces all. Longer ones: everyone reduces a share of each segment and shows
//! the result, so that each item is reduced once. For predefined operations on items without holes.

use crate::buf::Buf;
use crate::coll::board::pieces::piece;
use crate::coll::board::turn::{Expected, Turn};
use crate::coll::reduce::board::{part, whole};
use crate::op::Op;

/// `send`: this member's vector, unless it is in `recv`.
pub fn run(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: Buf<'_>, op: &Op) {
    let bytes = recv.bytes();
    if bytes * turn.size() as u64 <= turn.tuning().allreduce_alone_max && bytes <= turn.piece() as u64 {
        short(turn, send, recv, op);
    } else {
        long(turn, send, recv, op);
    }
}

/// All members begin with the last one's vector and go on to the first, so that all have the same bits.
fn short(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: Buf<'_>, op: &Op) {
    let total = recv.bytes();
    let expected = Expected { total, len: total as usize };
    let own = send.unwrap_or(recv);
    let step = turn.show(total, expected.len, |message| _ = own.read_at(0, message));
    let last = turn.size() - 1;
    // The own vector is looked at on the board, too: in `recv` the result takes its place.
    turn.read(last, step, expected, |message| recv.write_at(0, message));
    for from in (0..last).rev() {
        turn.read(from, step, expected, |message| turn.apply(op, message, &recv));
    }
    turn.pass(step, expected.len);
}

/// A segment: what all members reduce in one step. Each reduces a share, of `each` bytes or what is left.
struct Segment<'b> {
    data: Buf<'b>,
    each: usize,
}

impl<'b> Segment<'b> {
    /// The share of `rank`: where it is in the segment, in bytes.
    fn share(&self, rank: usize) -> (usize, usize) {
        piece(self.data.bytes() as usize, self.each, rank)
    }

    fn items(&self, rank: usize) -> Buf<'b> {
        let (begin, len) = self.share(rank);
        part(&self.data, begin as u64, len)
    }

    /// Where the share of `rank` is in the message of `from`, which has none for itself.
    fn place(&self, rank: usize, from: usize) -> (usize, usize) {
        let (begin, len) = self.share(rank);
        let own = if from < rank { self.share(from).1 } else { 0 };
        (begin - own, len)
    }

    /// Length of the message of `from`.
    fn message(&self, from: usize) -> usize {
        self.data.bytes() as usize - self.share(from).1
    }
}

/// Each step but the first comes while the one before is still looked at: A0 A1 B0 A2 B1 A3 B2 …, where in A everyone shows its vectors and
/// in B what it has reduced.
fn long(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: Buf<'_>, op: &Op) {
    let (rank, size) = (turn.rank(), turn.size());
    let total = recv.bytes();
    let own = send.unwrap_or(recv);
    let each = share(total as usize / size, turn.share(), recv.ty().size() as usize);
    let show_vectors = |index: usize| {
        let vectors = segment(own, each, size, index);
        let fill = |message: &mut [u8]| {
            for to in (0..size).filter(|&to| to != rank) {
                let (begin, len) = vectors.place(to, rank);
                vectors.items(to).read_at(0, &mut message[begin..][..len]);
            }
        };
        turn.show(total, vectors.message(rank), fill)
    };
    let collect = |index: usize, step: u32| {
        let results = segment(recv, each, size, index);
        for from in turn.others() {
            let items = results.items(from);
            let expected = Expected { total, len: items.bytes() as usize };
            turn.read(from, step, expected, |message| items.write_at(0, message));
        }
        turn.pass(step, results.message(rank));
    };
    let mut vectors = show_vectors(0);
    let mut before = None;
    let count = (total as usize).div_ceil(each * size);
    for index in 0..count {
        let shown = vectors;
        if index + 1 < count {
            vectors = show_vectors(index + 1);
        }
        let results = segment(recv, each, size, index);
        let mine = results.items(rank);
        if let Some(send) = send {
            segment(send, each, size, index).items(rank).copy_to(&mine);
        }
        for from in turn.others() {
            let (begin, len) = results.place(rank, from);
            let expected = Expected { total, len: results.message(from) };
            turn.read(from, shown, expected, |message| turn.apply(op, &message[begin..][..len], &mine));
        }
        let reduced = turn.show(total, mine.bytes() as usize, |message| _ = mine.read_at(0, message));
        if let Some((index, step)) = before.replace((index, reduced)) {
            collect(index, step);
        }
    }
    if let Some((index, step)) = before {
        collect(index, step);
    }
}

/// Number `index` of the segments of a vector of `size` members.
fn segment<'b>(vector: Buf<'b>, each: usize, size: usize, index: usize) -> Segment<'b> {
    let (begin, len) = piece(vector.bytes() as usize, each * size, index);
    Segment { data: part(&vector, begin as u64, len), each }
}

/// One member's share of a segment, in bytes: `most` at most, and no more than it has of the whole.
fn share(own: usize, most: usize, item: usize) -> usize {
    whole(most, item as u64).min(own.next_multiple_of(item)).max(item)
}
