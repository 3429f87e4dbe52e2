//! Scans on a board: everyone shows its vector, and reduces those of the ranks before it. For predefined operations on items without holes.

use crate::buf::Buf;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};
use crate::coll::reduce::board::{part, whole};
use crate::op::Op;

/// `send`: this member's vector, unless it is in `recv`. The first rank's result of an exclusive scan is not defined, and left alone.
pub fn run(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: Buf<'_>, op: &Op, exclusive: bool) {
    let rank = turn.rank();
    let own = send.unwrap_or(recv);
    let total = recv.bytes();
    for (offset, len) in pieces(total, whole(turn.piece(), recv.ty().size())) {
        let step = turn.show(total, len, |piece| _ = own.read_at(offset, piece));
        let result = part(&recv, offset, len);
        let mut before = (0..rank).rev();
        if !exclusive {
            if let Some(send) = send {
                part(&send, offset, len).copy_to(&result);
            }
        } else if let Some(last) = before.next() {
            turn.read(last, step, Expected { total, len }, |piece| result.write_at(0, piece));
        }
        for from in before {
            turn.read(from, step, Expected { total, len }, |piece| turn.apply(op, piece, &result));
        }
        turn.pass(step, len);
    }
}
