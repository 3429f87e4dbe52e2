//! Scatter and scatterv (MPI 5.0 section 6.6).

pub mod binomial;
pub mod board;
pub mod linear;

use super::board::Turn;
use super::blocks::Blocks;
use super::call::{Collective, apart};
use super::cx::Cx;
use super::data::Data;
use super::operation::Operation;
use super::root::Root;
use super::select;
use crate::comm::Comm;
use crate::error::Result;

/// `MPI_Scatter`, `MPI_Scatterv`
pub struct Scatter<'a> {
    /// At the root.
    pub send: Option<Blocks<'a>>,
    /// Of everyone who receives; a root without it leaves its own block in place.
    pub recv: Option<Data<'a>>,
    pub root: Root,
    /// `MPI_Scatterv`: members do not know each other's counts.
    pub varying: bool,
}

impl Scatter<'_> {
    /// One member's bytes.
    fn block(&self, root: usize) -> u64 {
        match (&self.send, &self.recv) {
            (_, Some(recv)) => recv.buf().bytes(),
            (Some(send), None) => send.block(root).bytes(),
            (None, None) => 0,
        }
    }
}

impl<'a> Collective for Scatter<'a> {
    type Own = Scatter<'static>;

    fn own(self) -> Scatter<'static> {
        let Scatter { send, recv, root, varying } = self;
        Scatter { send: send.map(Blocks::own), recv: recv.map(Data::own), root, varying }
    }

    fn operation(&self) -> Operation {
        if self.varying { Operation::Scatterv } else { Operation::Scatter }
    }

    fn root(&self) -> Option<Root> {
        Some(self.root)
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        // The two groups of an intercommunicator have no part in common.
        if comm.is_inter() {
            return Ok(());
        }
        apart(self.send.as_ref().map(|send| send.block(comm.rank)), self.recv.as_ref().map(Data::buf))
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let Root::Rank(root) = self.root else { unreachable!("boards are of one group") };
        if self.varying || !turn.tuning().on_board(self.operation(), turn.size(), self.block(root)) {
            return turn.decline(self.block(root));
        }
        board::run(turn, self.send.as_ref(), self.recv.as_ref().map(Data::buf), root, self.block(root));
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (send, recv) = (self.send.as_ref(), self.recv.as_ref().map(Data::buf));
        if cx.comm.is_inter() {
            return linear::across(cx, send, recv, self.root).await;
        }
        let Root::Rank(root) = self.root else { unreachable!("checked with the communicator") };
        let block = self.block(root);
        match cx.tuning().gather(cx.size(), block) {
            select::Gather::Binomial if !self.varying => binomial::run(cx, send, recv, root, block).await,
            _ => linear::run(cx, send, recv, root).await,
        }
    }
}
