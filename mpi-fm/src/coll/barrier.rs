//! Barrier (MPI 5.0 section 6.3).

use super::bcast::binomial;
use super::board::turn::{Expected, Turn};
use super::call::Collective;
use super::cx::Cx;
use super::operation::Operation;
use crate::error::Result;

/// `MPI_Barrier`
pub struct Barrier;

impl Collective for Barrier {
    type Own = Barrier;

    fn own(self) -> Barrier {
        self
    }

    fn operation(&self) -> Operation {
        Operation::Barrier
    }

    fn on_board(&self, turn: &Turn<'_>) -> bool {
        let nothing = Expected { total: 0, len: 0 };
        let step = turn.show(0, 0, |_| ());
        for from in turn.others() {
            turn.read(from, step, nothing, |_| ());
        }
        turn.pass(step, 0);
        true
    }

    async fn run(&self, cx: &Cx<'_>) -> Result<()> {
        match cx.local() {
            None => dissemination(cx).await,
            Some(local) => across(cx, &local).await,
        }
    }
}

/// In round `k` each member signals the one `2^k` further on and waits for the one `2^k` before it, so that after ⌈log2 n⌉ rounds
/// everyone has heard of everyone (Hensgen, Finkel and Manber, 1988).
///
/// # Errors
/// Those of the messages.
pub async fn dissemination(cx: &Cx<'_>) -> Result<()> {
    let (rank, size) = (cx.rank(), cx.size());
    let mut distance = 1;
    while distance < size {
        let to = (rank + distance) % size;
        let from = (rank + size - distance) % size;
        cx.note(cx.sendrecv(cx.nothing(), to, cx.nothing(), from).await);
        distance *= 2;
    }
    cx.outcome()
}

/// Between two groups: each side gathers, the first members tell each other, and let their sides go.
async fn across(cx: &Cx<'_>, local: &Cx<'_>) -> Result<()> {
    cx.note(dissemination(local).await);
    if cx.rank() == 0 {
        cx.note(cx.sendrecv(cx.nothing(), 0, cx.nothing(), 0).await);
    }
    cx.note(binomial::run(local, cx.nothing(), 0).await);
    cx.outcome()
}
