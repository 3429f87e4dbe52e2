//! Scan and exscan (MPI 5.0 section 6.11).

pub mod board;
pub mod doubling;

use super::board::Turn;
use super::call::Collective;
use super::cx::Cx;
use super::data::{Data, Held};
use super::operation::Operation;
use super::reduce;
use crate::bail;
use crate::comm::Comm;
use crate::error::Result;
use crate::op::Op;

/// `MPI_Scan`, `MPI_Exscan`
pub struct Scan<'a> {
    /// `None`: this member's part is in `recv`.
    pub send: Option<Data<'a>>,
    pub recv: Data<'a>,
    pub op: Held<'a, Op>,
    /// `MPI_Exscan`: the result has the ranks before this one only.
    pub exclusive: bool,
}

impl<'a> Collective for Scan<'a> {
    type Own = Scan<'static>;

    fn own(self) -> Scan<'static> {
        let Scan { send, recv, op, exclusive } = self;
        Scan { send: send.map(Data::own), recv: recv.own(), op: op.own(), exclusive }
    }

    fn operation(&self) -> Operation {
        if self.exclusive { Operation::Exscan } else { Operation::Scan }
    }

    fn check(&self, comm: &Comm) -> Result<()> {
        if comm.is_inter() {
            bail!(COMM, "{} is not defined on intercommunicators such as {}", self.operation().name(), comm.describe());
        }
        reduce::check(self.send.as_ref(), Some(&self.recv), &self.op)
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let recv = self.recv.buf();
        if !reduce::board::suits(&recv, &self.op) {
            return turn.decline(recv.bytes());
        }
        board::run(turn, self.send.as_ref().map(Data::buf), recv, &self.op, self.exclusive);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        let (recv, op) = (self.recv.buf(), &**self.op);
        let send = self.send.as_ref().map(Data::buf);
        if recv.count() == 0 {
            return Ok(());
        }
        if self.exclusive {
            return doubling::exclusive(cx, send.unwrap_or(recv), recv, op).await;
        }
        if let Some(send) = send {
            send.copy_to(&recv);
        }
        doubling::inclusive(cx, recv, op).await
    }
}
