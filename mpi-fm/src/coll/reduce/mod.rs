//! Reduce (MPI 5.0 section 6.9.1).

pub mod binomial;
pub mod board;
pub mod halving;
pub mod halving_gather;

use super::board::Turn;
use super::call::{Collective, apart};
use super::cx::Cx;
use super::data::{Data, Held};
use super::operation::Operation;
use super::root::Root;
use super::select;
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;
use crate::op::Op;

/// `MPI_Reduce`
pub struct Reduce<'a> {
    /// Of everyone who contributes; a root without it has its part in `recv`.
    pub send: Option<Data<'a>>,
    /// At the root.
    pub recv: Option<Data<'a>>,
    pub op: Held<'a, Op>,
    pub root: Root,
}

impl<'a> Collective for Reduce<'a> {
    type Own = Reduce<'static>;

    fn own(self) -> Reduce<'static> {
        let Reduce { send, recv, op, root } = self;
        Reduce { send: send.map(Data::own), recv: recv.map(Data::own), op: op.own(), root }
    }

    fn operation(&self) -> Operation {
        Operation::Reduce
    }

    fn root(&self) -> Option<Root> {
        Some(self.root)
    }

    fn check(&self, _: &Comm) -> Result<()> {
        check(self.send.as_ref(), self.recv.as_ref(), &self.op)
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let Root::Rank(root) = self.root else { unreachable!("boards are of one group") };
        let (send, recv) = (self.send.as_ref().map(Data::buf), self.recv.as_ref().map(Data::buf));
        let Some(own) = send.or(recv) else { unreachable!("everyone contributes") };
        if !board::suits(&own, &self.op) || !turn.tuning().on_board(self.operation(), turn.size(), own.bytes()) {
            return turn.decline(own.bytes());
        }
        board::run(turn, own, recv.unwrap_or(own), &self.op, root);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (send, recv) = (self.send.as_ref().map(Data::buf), self.recv.as_ref().map(Data::buf));
        let op = &**self.op;
        let Some(local) = cx.local() else {
            let Root::Rank(root) = self.root else { unreachable!("checked with the communicator") };
            let Some(own) = send.or(recv) else { unreachable!("everyone contributes") };
            // Elsewhere than at the root nothing is written.
            return among(cx, own, recv.unwrap_or(own), op, root).await;
        };
        match (self.root, send, recv) {
            (Root::Here, _, Some(recv)) => {
                cx.note(cx.recv(recv, 0).await);
            }
            (Root::Rank(root), Some(send), _) => {
                let scratch = cx.scratch(if cx.rank() == 0 { send.count() } else { 0 }, send.ty());
                cx.note(among(&local, send, scratch.buf(), op, 0).await);
                if cx.rank() == 0 {
                    cx.note(cx.send(scratch.buf(), root).await);
                }
            }
            _ => {}
        }
        cx.outcome()
    }
}

/// Reduces the members' `send` to `recv` at `root`, where both may be the same; the others' `recv` is not touched.
///
/// # Errors
/// Those of the messages and the operation.
pub async fn among(cx: &Cx<'_>, send: Buf<'_>, recv: Buf<'_>, op: &Op, root: usize) -> Result<()> {
    if send.count() == 0 {
        return Ok(());
    }
    match cx.tuning().reduce(cx.size(), send.bytes(), send.count()) {
        select::Reduce::Binomial => binomial::run(cx, send, recv, op, root).await,
        select::Reduce::HalvingGather => halving_gather::run(cx, send, recv, op, root).await,
    }
}

/// What all reductions check: buffers, and whether the operation works on the type.
///
/// # Errors
/// `MPI_ERR_OP`, `MPI_ERR_BUFFER`
pub fn check(send: Option<&Data<'_>>, recv: Option<&Data<'_>>, op: &Op) -> Result<()> {
    apart(send.map(Data::buf), recv.map(Data::buf))?;
    send.or(recv).map_or(Ok(()), |data| op.check(data.buf().ty()))
}
