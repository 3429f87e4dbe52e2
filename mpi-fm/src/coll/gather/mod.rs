//! Gather and gatherv (MPI 5.0 section 6.5).

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

/// `MPI_Gather`, `MPI_Gatherv`
pub struct Gather<'a> {
    /// Of everyone who sends; a root without it gathers in place.
    pub send: Option<Data<'a>>,
    /// At the root.
    pub recv: Option<Blocks<'a>>,
    pub root: Root,
    /// `MPI_Gatherv`: members do not know each other's counts.
    pub varying: bool,
}

impl Gather<'_> {
    /// One member's bytes.
    fn block(&self, root: usize) -> u64 {
        match (&self.send, &self.recv) {
            (Some(send), _) => send.buf().bytes(),
            (None, Some(recv)) => recv.block(root).bytes(),
            (None, None) => 0,
        }
    }
}

impl<'a> Collective for Gather<'a> {
    type Own = Gather<'static>;

    fn own(self) -> Gather<'static> {
        let Gather { send, recv, root, varying } = self;
        Gather { send: send.map(Data::own), recv: recv.map(Blocks::own), root, varying }
    }

    fn operation(&self) -> Operation {
        if self.varying { Operation::Gatherv } else { Operation::Gather }
    }

    fn root(&self) -> Option<Root> {
        Some(self.root)
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        // The two groups of an intercommunicator have no part in common.
        if comm.is_inter() {
            return Ok(());
        }
        apart(self.send.as_ref().map(Data::buf), self.recv.as_ref().map(|recv| recv.block(comm.rank)))
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let Root::Rank(root) = self.root else { unreachable!("boards are of one group") };
        if self.varying || !turn.tuning().on_board(self.operation(), turn.size(), self.block(root)) {
            return turn.decline(self.block(root));
        }
        board::run(turn, self.send.as_ref().map(Data::buf), self.recv.as_ref(), root, self.block(root));
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (send, recv) = (self.send.as_ref().map(Data::buf), self.recv.as_ref());
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
