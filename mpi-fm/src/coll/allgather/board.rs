//! Allgather on a board: everyone shows its block, and looks at all others.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::board::pieces::{piece, pieces};
use crate::coll::board::turn::{Expected, Turn};

/// `send` is this member's block, unless it is in its place already. All know all lengths.
pub fn run(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: &Blocks<'_>) {
    let own = send.unwrap_or_else(|| recv.block(turn.rank()));
    let block = |rank: usize| recv.block(rank).bytes();
    let longest = if recv.is_even() { block(0) } else { (0..turn.size()).map(block).max().unwrap_or(0) };
    let each = turn.piece();
    for (index, (_, len)) in pieces(longest, each).enumerate() {
        let cut = |total: u64| piece(total as usize, each, index);
        let (offset, shown) = cut(own.bytes());
        let step = turn.show(own.bytes(), shown, |piece| _ = own.read_at(offset as u64, piece));
        // While the others' blocks are on their way.
        if let Some(send) = send.filter(|_| index == 0) {
            turn.copy(&send, &recv.block(turn.rank()));
        }
        for from in turn.others() {
            let to = recv.block(from);
            let (offset, len) = cut(to.bytes());
            turn.read(from, step, Expected { total: to.bytes(), len }, |piece| to.write_at(offset as u64, piece));
        }
        turn.pass(step, len);
    }
}
