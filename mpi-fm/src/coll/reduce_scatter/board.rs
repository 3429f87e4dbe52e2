//! Reduce-scatter on a board: everyone shows a piece of everybody's block, and reduces what concerns its own. For predefined operations on items
//! without holes.

use super::Vector;
use crate::buf::Buf;
use crate::coll::board::pieces::piece;
use crate::coll::board::turn::{Expected, Turn};
use crate::coll::reduce::board::{part, whole};
use crate::op::Op;

/// `recv` is this member's block, apart from the vector.
pub fn run(turn: &Turn<'_>, vector: Vector<'_>, recv: Buf<'_>, op: &Op) {
    let (rank, size) = (turn.rank(), turn.size());
    let total = vector.whole.bytes();
    let each = whole(turn.share(), recv.ty().size()).max(recv.ty().size() as usize);
    let block = |rank: usize| vector.block(rank).bytes() as usize;
    let longest = (0..size).map(block).max().unwrap_or(0);
    vector.block(rank).copy_to(&recv);
    for index in 0..longest.div_ceil(each).max(1) {
        let cut = |rank: usize| piece(block(rank), each, index);
        // A message has a piece for each of the others, in their order.
        let sum = |ranks: std::ops::Range<usize>, except: usize| -> usize {
            ranks.filter(|&rank| rank != except).map(|rank| cut(rank).1).sum()
        };
        let fill = |message: &mut [u8]| {
            let mut rest = message;
            for to in (0..size).filter(|&to| to != rank) {
                let (begin, len) = cut(to);
                let (piece, after) = rest.split_at_mut(len);
                vector.block(to).read_at(begin as u64, piece);
                rest = after;
            }
        };
        let shown = sum(0..size, rank);
        let step = turn.show(total, shown, fill);
        let (begin, len) = cut(rank);
        let mine = part(&recv, begin as u64, len);
        for from in turn.others() {
            let (before, expected) = (sum(0..rank, from), Expected { total, len: sum(0..size, from) });
            turn.read(from, step, expected, |message| turn.apply(op, &message[before..][..len], &mine));
        }
        turn.pass(step, each * (size - 1));
    }
}
