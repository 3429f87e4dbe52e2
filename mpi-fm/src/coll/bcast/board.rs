//! Broadcast on a board: the root shows the data piece by piece, and all others look.

use crate::buf::Buf;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};

pub fn run(turn: &Turn<'_>, data: Buf<'_>, root: usize) {
    let total = data.bytes();
    for (offset, len) in pieces(total, turn.stream(total)) {
        let step = if turn.rank() == root {
            turn.show(total, len, |piece| _ = data.read_at(offset, piece))
        } else {
            let step = turn.attend(total);
            turn.read(root, step, Expected { total, len }, |piece| data.write_at(offset, piece));
            step
        };
        turn.pass(step, len);
    }
}
