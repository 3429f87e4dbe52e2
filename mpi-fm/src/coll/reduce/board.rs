//! Reduce on a board: everyone shows its vector, and the root reduces what it sees. For predefined operations on items without holes.

use crate::buf::Buf;
use crate::coll::board::pieces::pieces;
use crate::coll::board::turn::{Expected, Turn};
use crate::op::Op;

/// Whether all members can do a reduction on a board: its bytes on the board are items as they lie in memory, and a user's function sees no
/// memory but the process's own.
pub fn suits(data: &Buf<'_>, op: &Op) -> bool {
    op.is_predefined() && data.ty().is_contiguous()
}

/// `recv` is the root's; its part may be there already.
pub fn run(turn: &Turn<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op, root: usize) {
    let item = send.ty().size();
    let total = send.bytes();
    if turn.rank() == root && send.addr() != recv.addr() {
        send.copy_to(&recv);
    }
    for (offset, len) in pieces(total, whole(turn.stream(total), item)) {
        let step = if turn.rank() == root {
            let step = turn.attend(total);
            let result = part(&recv, offset, len);
            for from in turn.others() {
                turn.read(from, step, Expected { total, len }, |piece| turn.apply(op, piece, &result));
            }
            step
        } else {
            turn.show(total, len, |piece| _ = send.read_at(offset, piece))
        };
        turn.pass(step, len);
    }
}

/// The largest number of bytes up to `most` that is whole items.
#[inline]
pub fn whole(most: usize, item: u64) -> usize {
    let item = item.max(1) as usize;
    if item.is_power_of_two() { most & !(item - 1) } else { most / item * item }
}

/// The items that are `len` packed bytes from `offset` on.
pub fn part<'b>(data: &Buf<'b>, offset: u64, len: usize) -> Buf<'b> {
    let item = data.ty().size().max(1);
    data.slice((offset / item) as usize, (len as u64 / item) as usize)
}
