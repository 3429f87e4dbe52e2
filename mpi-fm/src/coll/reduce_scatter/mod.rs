//! Reduce-scatter with equal and with varying blocks (MPI 5.0 section 6.10).

pub mod board;
pub mod halving;
pub mod pairwise;

use super::board::Turn;
use super::blocks::Ints;
use super::call::Collective;
use super::cx::Cx;
use super::data::{Data, Held};
use super::operation::Operation;
use super::{reduce, select};
use crate::bail;
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;
use crate::op::Op;
use smallvec::SmallVec;

/// `MPI_Reduce_scatter`, `MPI_Reduce_scatter_block`
pub struct ReduceScatter<'a> {
    /// The whole vector. `None`: it is in `recv`, at whose beginning the result goes.
    pub send: Option<Data<'a>>,
    /// This member's block; in place, the whole vector.
    pub recv: Data<'a>,
    pub counts: Counts,
    pub op: Held<'a, Op>,
}

/// Lengths of the members' blocks, in items.
pub enum Counts {
    Even { count: usize, len: usize },
    Varying(Ints),
}

impl Counts {
    fn own(self) -> Counts {
        match self {
            Counts::Even { .. } => self,
            Counts::Varying(counts) => Counts::Varying(counts.own()),
        }
    }

    pub fn get(&self, index: usize) -> usize {
        match self {
            Counts::Even { count, .. } => *count,
            Counts::Varying(counts) => counts.get(index) as usize,
        }
    }

    fn len(&self) -> usize {
        match self {
            Counts::Even { len, .. } => *len,
            Counts::Varying(counts) => counts.len(),
        }
    }

    /// Length of the vector; as much as there is, if that is too much to count.
    pub fn total(&self) -> usize {
        (0..self.len()).fold(0, |sum: usize, index| sum.saturating_add(self.get(index)).min(i64::MAX as usize))
    }

    /// Where each block starts, and the last one ends.
    fn starts(&self) -> SmallVec<[usize; 33]> {
        let len = self.len();
        let mut starts = SmallVec::with_capacity(len + 1);
        starts.push(0);
        for index in 0..len {
            starts.push(starts[index] + self.get(index));
        }
        starts
    }
}

/// A vector cut into the members' blocks.
#[derive(Clone, Copy)]
pub struct Vector<'b> {
    pub whole: Buf<'b>,
    pub starts: &'b [usize],
}

impl<'b> Vector<'b> {
    /// The blocks of members `from .. to`.
    pub fn blocks(&self, from: usize, to: usize) -> Buf<'b> {
        self.whole.slice(self.starts[from], self.starts[to] - self.starts[from])
    }

    pub fn block(&self, index: usize) -> Buf<'b> {
        self.blocks(index, index + 1)
    }
}

impl<'a> Collective for ReduceScatter<'a> {
    type Own = ReduceScatter<'static>;

    fn own(self) -> ReduceScatter<'static> {
        let ReduceScatter { send, recv, counts, op } = self;
        ReduceScatter { send: send.map(Data::own), recv: recv.own(), counts: counts.own(), op: op.own() }
    }

    fn operation(&self) -> Operation {
        match self.counts {
            Counts::Even { .. } => Operation::ReduceScatterBlock,
            Counts::Varying(_) => Operation::ReduceScatter,
        }
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        if self.send.is_none() && comm.is_inter() {
            bail!(BUFFER, "MPI_IN_PLACE is not for intercommunicators such as {}", comm.describe());
        }
        reduce::check(self.send.as_ref(), Some(&self.recv), &self.op)
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let recv = self.recv.buf();
        let total = self.counts.total() as u64 * recv.ty().size();
        if !reduce::board::suits(&recv, &self.op) || !turn.tuning().on_board(self.operation(), turn.size(), total) {
            return turn.decline(total);
        }
        let starts = self.counts.starts();
        let vector = Vector { whole: self.send.as_ref().map_or(recv, Data::buf), starts: &starts };
        let own = self.counts.get(turn.rank());
        if self.send.is_some() {
            board::run(turn, vector, recv.slice(0, own), &self.op);
        } else {
            // The result's place still has vectors for others.
            let scratch = turn.scratch(own, recv.ty());
            board::run(turn, vector, scratch.buf(), &self.op);
            scratch.buf().copy_to(&recv.slice(0, own));
        }
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (recv, op) = (self.recv.buf(), &**self.op);
        let starts = self.counts.starts();
        let send = self.send.as_ref().map_or(recv, Data::buf);
        let vector = Vector { whole: send, starts: &starts };
        if vector.whole.count() == 0 {
            return Ok(());
        }
        // In place, the result goes over the beginning of what was the vector.
        let recv = recv.slice(0, self.counts.get(cx.rank()));
        match cx.local() {
            Some(local) => across(cx, &local, vector, recv, op).await,
            None => among(cx, vector, recv, op).await,
        }
    }
}

/// Reduces the members' vectors and leaves each its block in `recv`, which may be part of the vector.
async fn among(cx: &Cx<'_>, vector: Vector<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    match cx.tuning().reduce_scatter(cx.size(), vector.whole.bytes(), op.is_commutative()) {
        select::ReduceScatter::ReduceThenScatter => {
            let scratch = cx.scratch(if cx.rank() == 0 { vector.whole.count() } else { 0 }, recv.ty());
            cx.note(reduce::among(cx, vector.whole, scratch.buf(), op, 0).await);
            scatter(cx, Vector { whole: scratch.buf(), ..vector }, recv).await;
            cx.outcome()
        }
        select::ReduceScatter::Halving => halving::run(cx, vector, recv, op).await,
        select::ReduceScatter::Pairwise => pairwise::run(cx, vector, recv, op).await,
    }
}

/// Between two groups: the first members exchange what their groups have reduced, and scatter what came.
async fn across(cx: &Cx<'_>, local: &Cx<'_>, vector: Vector<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    let count = if cx.rank() == 0 { vector.whole.count() } else { 0 };
    let (ours, theirs) = (cx.scratch(count, recv.ty()), cx.scratch(count, recv.ty()));
    cx.note(reduce::among(local, vector.whole, ours.buf(), op, 0).await);
    if cx.rank() == 0 {
        cx.note(cx.sendrecv(ours.buf(), 0, theirs.buf(), 0).await);
    }
    scatter(local, Vector { whole: theirs.buf(), ..vector }, recv).await;
    cx.note(local.outcome());
    cx.outcome()
}

/// From the first member, which has the vector, to all.
async fn scatter(cx: &Cx<'_>, vector: Vector<'_>, recv: Buf<'_>) {
    if cx.rank() != 0 {
        cx.note(cx.recv(recv, 0).await);
        return;
    }
    let sends: Vec<_> = (1..cx.size()).filter_map(|rank| cx.note(cx.isend(vector.block(rank), rank))).collect();
    vector.block(0).copy_to(&recv);
    cx.join(sends).await;
}
