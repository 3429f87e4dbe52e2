//! Alltoall on a board: everyone shows a piece for each of the others, and looks at what they have for it.

use crate::coll::blocks::Blocks;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};

/// Even blocks; without `send`, what is to be sent is in `recv`, and replaced piece by piece.
pub fn run(turn: &Turn<'_>, send: Option<&Blocks<'_>>, recv: &Blocks<'_>) {
    let (rank, size) = (turn.rank(), turn.size());
    let outgoing = send.unwrap_or(recv);
    let block = recv.block(rank).bytes();
    // A message has a piece for each of the others, in their order.
    let place = |of: usize, with: usize| of - usize::from(of > with);
    // Blocks that are sent from here may differ in bytes only by mistake, which the labels tell.
    let total = outgoing.block(rank).bytes();
    for (offset, len) in pieces(block.max(total), turn.share()) {
        let fill = |message: &mut [u8]| {
            for to in (0..size).filter(|&to| to != rank) {
                outgoing.block(to).read_at(offset, &mut message[place(to, rank) * len..][..len]);
            }
        };
        let step = turn.show(total, (size - 1) * len, fill);
        // While the others' pieces are on their way.
        if let Some(send) = send.filter(|_| offset == 0) {
            turn.copy(&send.block(rank), &recv.block(rank));
        }
        for from in turn.others() {
            let to = recv.block(from);
            let expected = Expected { total: block, len: (size - 1) * len };
            turn.read(from, step, expected, |message| to.write_at(offset, &message[place(rank, from) * len..][..len]));
        }
        turn.pass(step, (size - 1) * len);
    }
}
