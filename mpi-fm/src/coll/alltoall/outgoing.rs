//! What an alltoall sends: blocks of the send buffer, or of a copy of the receive buffer that is about to be overwritten.

use crate::buf::Buf;
use crate::coll::blocks::Blocks;

pub enum Outgoing<'a> {
    InPlace(&'a Blocks<'a>),
    /// Packed blocks, and where each starts and the last one ends.
    Packed { packed: Buf<'a>, starts: Vec<usize> },
}

impl<'a> Outgoing<'a> {
    /// Copies all blocks into `packed`, which has room for them.
    pub fn pack(blocks: &Blocks<'_>, packed: Buf<'a>) -> Outgoing<'a> {
        let mut starts = Vec::with_capacity(blocks.len() + 1);
        starts.push(0);
        for index in 0..blocks.len() {
            starts.push(starts[index] + blocks.block(index).bytes() as usize);
        }
        let outgoing = Outgoing::Packed { packed, starts };
        for index in 0..blocks.len() {
            blocks.block(index).copy_to(&outgoing.block(index));
        }
        outgoing
    }

    /// The block for member `index`.
    pub fn block(&self, index: usize) -> Buf<'_> {
        match self {
            Outgoing::InPlace(blocks) => blocks.block(index),
            Outgoing::Packed { packed, starts } => packed.slice(starts[index], starts[index + 1] - starts[index]),
        }
    }
}
