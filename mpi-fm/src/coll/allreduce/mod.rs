//! Allreduce (MPI 5.0 section 6.9.6).
//!
//! Every item of the result is computed once and then copied, or computed by all members from the same operands in the same order, so
//! that all have the same bits.

pub mod halving_doubling;
pub mod recursive_doubling;

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

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (recv, op) = (self.recv.buf(), &**self.op);
        let send = self.send.as_ref().map(Data::buf);
        match cx.local() {
            Some(local) => across(cx, &local, send.unwrap_or(recv), recv, op).await,
            None => {
                if let Some(send) = send {
                    send.copy_to(&recv);
                }
                among(cx, recv, op).await
            }
        }
    }
}

/// Replaces the members' parts in `data` by the result.
///
/// # Errors
/// Those of the messages.
pub async fn among(cx: &Cx<'_>, data: Buf<'_>, op: &Op) -> Result<()> {
    if data.count() == 0 {
        return Ok(());
    }
    match select::allreduce(cx.size(), data.bytes(), data.count()) {
        select::Allreduce::RecursiveDoubling => recursive_doubling::run(cx, data, op).await,
        select::Allreduce::HalvingDoubling => halving_doubling::run(cx, data, op).await,
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
