//! Gather on a board: everyone shows its block, the root looks at all.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};

/// `block` is one member's bytes; `send` is what this one has, `recv` the root's.
pub fn run(turn: &Turn<'_>, send: Option<Buf<'_>>, recv: Option<&Blocks<'_>>, root: usize, block: u64) {
    // While the others' blocks are on their way.
    if let (Some(recv), Some(send)) = (recv, send)
        && turn.rank() == root
    {
        turn.copy(&send, &recv.block(root));
    }
    for (offset, len) in pieces(block, turn.stream(block)) {
        let step = match (recv, send) {
            (Some(recv), _) if turn.rank() == root => {
                let step = turn.attend(block);
                for from in turn.others() {
                    let to = recv.block(from);
                    turn.read(from, step, Expected { total: block, len }, |piece| to.write_at(offset, piece));
                }
                step
            }
            (_, Some(send)) => turn.show(block, len, |piece| _ = send.read_at(offset, piece)),
            _ => turn.attend(block),
        };
        turn.pass(step, len);
    }
}
