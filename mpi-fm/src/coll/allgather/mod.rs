//! Allgather and allgatherv (MPI 5.0 section 6.7).

pub mod board;
pub mod bruck;
pub mod recursive_doubling;
pub mod ring;

use super::board::Turn;
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

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        // All know all lengths.
        if !turn.tuning().on_board(self.operation(), turn.size(), self.recv.bytes() / turn.size() as u64) {
            return turn.decline(self.recv.block(turn.rank()).bytes());
        }
        board::run(turn, self.send.as_ref().map(Data::buf), &self.recv);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (send, recv) = (self.send.as_ref().map(Data::buf), &self.recv);
        if cx.comm.is_inter() {
            return across(cx, send.unwrap_or(cx.nothing()), recv).await;
        }
        let own = Own::new(cx, send, recv.block(cx.rank()));
        match cx.tuning().allgather(cx.size(), recv.bytes(), recv.is_even()) {
            select::Allgather::Ring => ring::run(cx, &own, recv).await,
            select::Allgather::RecursiveDoubling => recursive_doubling::run(cx, &own, recv).await,
            select::Allgather::Bruck => {
                own.settle(cx);
                bruck::run(cx, recv).await
            }
        }
    }
}

/// This member's own block, which goes into its place, too.
///
/// A large one is better sent from the user's buffer, and copied meanwhile: whoever fetched it from the place would have to get out of
/// this processor's cache what it had just written there. A small one is better copied first, since what comes after the stores to a
/// network waits for them.
pub struct Own<'b> {
    /// Where it is to be taken from, unless it is in its place already.
    send: Option<Buf<'b>>,
    place: Buf<'b>,
}

impl<'b> Own<'b> {
    fn new(cx: &Cx<'_>, send: Option<Buf<'b>>, place: Buf<'b>) -> Own<'b> {
        let own = Own { send, place };
        if place.bytes() >= cx.tuning().allgather_in_place_min && cx.size() > 1 {
            return own;
        }
        own.settle(cx);
        Own { send: None, place }
    }

    /// Where it may be sent from.
    fn block(&self) -> Buf<'b> {
        self.send.unwrap_or(self.place)
    }

    /// Copies it into its place.
    fn settle(&self, cx: &Cx<'_>) {
        if let Some(send) = &self.send {
            cx.copy(send, &self.place);
        }
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
