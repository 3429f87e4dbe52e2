//! Allreduce (MPI 5.0 section 6.9.6).
//!
//! Every item of the result is computed once and then copied, or computed by all members from the same operands in the same order, so
//! that all have the same bits.

pub mod board;
pub mod halving_doubling;
pub mod pair;
pub mod recursive_doubling;

use super::board::Turn;
use super::call::Collective;
use super::cx::Cx;
use super::data::{Data, Held};
use super::operation::Operation;
use super::{bcast, reduce, select};
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;
use crate::op::Op;

/// `MPI_Allreduce`
pub struct Allreduce<'a> {
    /// `None`: this member's part is in `recv`.
    pub send: Option<Data<'a>>,
    pub recv: Data<'a>,
    pub op: Held<'a, Op>,
}

impl<'a> Collective for Allreduce<'a> {
    type Own = Allreduce<'static>;

    fn own(self) -> Allreduce<'static> {
        Allreduce { send: self.send.map(Data::own), recv: self.recv.own(), op: self.op.own() }
    }

    fn operation(&self) -> Operation {
        Operation::Allreduce
    }

    fn check(&self, _: &Comm) -> Result<()> {
        reduce::check(self.send.as_ref(), Some(&self.recv), &self.op)
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let recv = self.recv.buf();
        if !reduce::board::suits(&recv, &self.op) || !turn.tuning().on_board(self.operation(), turn.size(), recv.bytes()) {
            return turn.decline(recv.bytes());
        }
        board::run(turn, self.send.as_ref().map(Data::buf), recv, &self.op);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (recv, op) = (self.recv.buf(), &**self.op);
        let send = self.send.as_ref().map(Data::buf);
        match cx.local() {
            Some(local) => across(cx, &local, send.unwrap_or(recv), recv, op).await,
            None => among(cx, send, recv, op).await,
        }
    }
}

/// Puts the result into `data`, where the members' parts are if not in `send`.
async fn among(cx: &Cx<'_>, send: Option<Buf<'_>>, data: Buf<'_>, op: &Op) -> Result<()> {
    if data.count() == 0 {
        return Ok(());
    }
    let choice = cx.tuning().allreduce(cx.size(), data.bytes(), data.count(), send.is_some() && op.is_predefined());
    if let Some(send) = send {
        if choice == select::Allreduce::Pair {
            return pair::run(cx, send, data, op).await;
        }
        send.copy_to(&data);
    }
    match choice {
        select::Allreduce::HalvingDoubling => halving_doubling::run(cx, data, op).await,
        select::Allreduce::RecursiveDoubling | select::Allreduce::Pair => recursive_doubling::run(cx, data, op).await,
    }
}

/// Between two groups: each gets what the other has reduced.
async fn across(cx: &Cx<'_>, local: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op) -> Result<()> {
    let scratch = cx.scratch(if cx.rank() == 0 { recv.count() } else { 0 }, recv.ty());
    cx.note(reduce::among(local, send, scratch.buf(), op, 0).await);
    if cx.rank() == 0 {
        cx.note(cx.sendrecv(scratch.buf(), 0, recv, 0).await);
    }
    cx.note(bcast::among(local, recv, 0).await);
    cx.outcome()
}
