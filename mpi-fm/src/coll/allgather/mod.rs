//! Allgather and allgatherv (MPI 5.0 section 6.7).

pub mod bruck;
pub mod recursive_doubling;
pub mod ring;

use super::blocks::Blocks;
use super::call::{Collective, apart};
use super::cx::{Cx, Pending};
use super::data::Data;
use super::operation::Operation;
use super::select;
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;

/// `MPI_Allgather`, `MPI_Allgatherv`
pub struct Allgather<'a> {
    /// `None`: this member's block is in place.
    pub send: Option<Data<'a>>,
    pub recv: Blocks<'a>,
}

impl<'a> Collective for Allgather<'a> {
    type Own = Allgather<'static>;

    fn own(self) -> Allgather<'static> {
        Allgather { send: self.send.map(Data::own), recv: self.recv.own() }
    }

    fn operation(&self) -> Operation {
        if self.recv.is_even() { Operation::Allgather } else { Operation::Allgatherv }
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        // The two groups of an intercommunicator have no part in common.
        if comm.is_inter() {
            return Ok(());
        }
        apart(self.send.as_ref().map(Data::buf), Some(self.recv.block(comm.rank)))
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (send, recv) = (self.send.as_ref().map(Data::buf), &self.recv);
        if cx.comm.is_inter() {
            return across(cx, send.unwrap_or(cx.nothing()), recv).await;
        }
        if let Some(send) = send {
            cx.copy(&send, &recv.block(cx.rank()));
        }
        among(cx, recv).await
    }
}

/// Completes `recv`, in which this member's own block is there already.
///
/// # Errors
/// Those of the messages.
pub async fn among(cx: &Cx<'_>, recv: &Blocks<'_>) -> Result<()> {
    match select::allgather(cx.size(), recv.bytes(), recv.is_even()) {
        select::Allgather::Ring => ring::run(cx, recv).await,
        select::Allgather::RecursiveDoubling => recursive_doubling::run(cx, recv).await,
        select::Allgather::Bruck => bruck::run(cx, recv).await,
    }
}

/// Between two groups: everyone to everyone of the other group.
async fn across(cx: &Cx<'_>, send: Buf<'_>, recv: &Blocks<'_>) -> Result<()> {
    let targets = cx.targets();
    let order = |step: usize| (cx.rank() + step) % targets;
    let mut pending = Vec::<Pending<'_>>::with_capacity(2 * targets);
    pending.extend((0..targets).filter_map(|step| cx.note(cx.irecv(recv.block(order(step)), order(step)))));
    pending.extend((0..targets).filter_map(|step| cx.note(cx.isend(send, order(step)))));
    cx.join(pending).await;
    cx.outcome()
}
