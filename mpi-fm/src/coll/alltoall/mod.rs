//! Alltoall, alltoallv and alltoallw (MPI 5.0 section 6.8).

pub mod board;
pub mod bruck;
pub mod outgoing;
pub mod pairwise;
pub mod spread;

use super::board::Turn;
use super::blocks::Blocks;
use super::call::{Collective, apart};
use super::cx::Cx;
use super::operation::Operation;
use super::select;
use crate::comm::Comm;
use crate::error::Result;
use outgoing::Outgoing;

/// `MPI_Alltoall`, `MPI_Alltoallv`, `MPI_Alltoallw`
pub struct Alltoall<'a> {
    /// `None`: what is to be sent is in `recv`, where it is replaced.
    pub send: Option<Blocks<'a>>,
    pub recv: Blocks<'a>,
}

impl<'a> Collective for Alltoall<'a> {
    type Own = Alltoall<'static>;

    fn own(self) -> Alltoall<'static> {
        Alltoall { send: self.send.map(Blocks::own), recv: self.recv.own() }
    }

    fn operation(&self) -> Operation {
        match self.recv {
            Blocks::Even { .. } | Blocks::Same { .. } => Operation::Alltoall,
            Blocks::Varying { .. } => Operation::Alltoallv,
            Blocks::Typed { .. } => Operation::Alltoallw,
        }
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        // The two groups of an intercommunicator have no part in common.
        if comm.is_inter() {
            return Ok(());
        }
        apart(self.send.as_ref().map(|send| send.block(comm.rank)), Some(self.recv.block(comm.rank)))
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        if !self.recv.is_even() || !turn.tuning().on_board(self.operation(), turn.size(), self.recv.block(0).bytes()) {
            return turn.decline(self.recv.block(0).bytes());
        }
        board::run(turn, self.send.as_ref(), &self.recv);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let recv = &self.recv;
        let scratch;
        let outgoing = match &self.send {
            Some(send) => Outgoing::InPlace(send),
            None => {
                scratch = cx.scratch_bytes(recv.bytes());
                Outgoing::pack(recv, scratch.buf())
            }
        };
        if cx.comm.is_inter() {
            return spread::run(cx, &outgoing, recv, false).await;
        }
        let even = recv.is_even();
        // Only with even blocks do all members know all sizes.
        let block = if even { recv.block(0).bytes() } else { recv.bytes() / recv.len() as u64 };
        match cx.tuning().alltoall(cx.size(), block) {
            select::Alltoall::Bruck if even => bruck::run(cx, &outgoing, recv, block).await,
            select::Alltoall::Pairwise if even => pairwise::run(cx, &outgoing, recv).await,
            _ => spread::run(cx, &outgoing, recv, true).await,
        }
    }
}
