//! Broadcast (MPI 5.0 section 6.4).

pub mod binomial;
pub mod board;
pub mod scatter_allgather;

use super::board::Turn;
use super::call::Collective;
use super::cx::Cx;
use super::data::Data;
use super::operation::Operation;
use super::root::Root;
use super::select;
use crate::buf::Buf;
use crate::error::Result;

/// `MPI_Bcast`
pub struct Bcast<'a> {
    /// Of all but those beside the root.
    pub data: Option<Data<'a>>,
    pub root: Root,
}

impl<'a> Collective for Bcast<'a> {
    type Own = Bcast<'static>;

    fn own(self) -> Bcast<'static> {
        Bcast { data: self.data.map(Data::own), root: self.root }
    }

    fn operation(&self) -> Operation {
        Operation::Bcast
    }

    fn root(&self) -> Option<Root> {
        Some(self.root)
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let (Some(data), Root::Rank(root)) = (&self.data, self.root) else { unreachable!("boards are of one group") };
        let data = data.buf();
        if !turn.tuning().on_board(self.operation(), turn.size(), data.bytes()) {
            return turn.decline(data.bytes());
        }
        board::run(turn, data, root);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let Some(data) = self.data.as_ref().map(Data::buf) else { return Ok(()) };
        let Some(local) = cx.local() else {
            let Root::Rank(root) = self.root else { unreachable!("checked with the communicator") };
            return among(cx, data, root).await;
        };
        // From the root to the first of the other group, and on among that.
        match self.root {
            Root::Beside => {}
            Root::Here => {
                cx.note(cx.send(data, 0).await);
            }
            Root::Rank(root) => {
                if cx.rank() == 0 {
                    cx.note(cx.recv(data, root).await);
                }
                cx.note(among(&local, data, 0).await);
            }
        }
        cx.outcome()
    }
}

/// Broadcasts from `root` to the local group.
///
/// # Errors
/// Those of the messages.
pub async fn among(cx: &Cx<'_>, data: Buf<'_>, root: usize) -> Result<()> {
    match cx.tuning().bcast(cx.size(), data.bytes()) {
        select::Bcast::Binomial => binomial::run(cx, data, root).await,
        select::Bcast::ScatterAllgather => scatter_allgather::run(cx, data, root).await,
    }
}
