//! Scatter on a board: the root shows a piece of everybody's block at once, and each looks at its own.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};

/// `block` is one member's bytes; `send` is the root's, `recv` what this member gets.
pub fn run(turn: &Turn<'_>, send: Option<&Blocks<'_>>, recv: Option<Buf<'_>>, root: usize, block: u64) {
    let others = turn.size() - 1;
    // The root's message has a piece for each of the others, in their order.
    let mine = turn.rank() - usize::from(turn.rank() > root);
    for (offset, len) in pieces(block, turn.share().min(turn.stream(block))) {
        let step = match (send, recv) {
            (Some(send), _) if turn.rank() == root => {
                let fill = |message: &mut [u8]| {
                    for (place, to) in (0..turn.size()).filter(|&rank| rank != root).enumerate() {
                        send.block(to).read_at(offset, &mut message[place * len..][..len]);
                    }
                };
                turn.show(block, others * len, fill)
            }
            (_, Some(recv)) => {
                let step = turn.attend(block);
                let expected = Expected { total: block, len: others * len };
                turn.read(root, step, expected, |message| recv.write_at(offset, &message[mine * len..][..len]));
                step
            }
            _ => turn.attend(block),
        };
        turn.pass(step, others * len);
    }
    if let (Some(send), Some(recv)) = (send, recv)
        && turn.rank() == root
    {
        turn.copy(&send.block(root), &recv);
    }
}
