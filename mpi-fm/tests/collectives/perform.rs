//! The ways to make a call.

use crate::common::{Job, blocking, wait};
use mpi_fm::coll::board::Turn;
use mpi_fm::coll::{Collective, Cx};
use mpi_fm::comm::Comm;
use mpi_fm::request::State;
use mpi_fm::{Process, Result};
use std::sync::Arc;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// As the blocking call does it.
    Direct,
    Nonblocking,
    Persistent,
    /// As a blocking call on a communicator that has a board.
    OnBoard,
}

pub const WAYS: [Way; 4] = [Way::Direct, Way::Nonblocking, Way::Persistent, Way::OnBoard];

/// One of them: every case comes up with each at some number of processes.
pub fn way(number: usize) -> Way {
    WAYS[number % WAYS.len()]
}

pub async fn perform(way: Way, process: &Arc<Process>, comm: &Arc<Comm>, call: impl Collective) -> Result<()> {
    match way {
        Way::Direct => {
            call.check(comm)?;
            let cx = Cx::with_tags(process, comm, call.tags(comm, mpi_fm::coll::Form::Blocking));
            call.run(&cx).await
        }
        Way::OnBoard => {
            call.check(comm)?;
            process.open_board(comm).await?;
            let tags = call.tags(comm, mpi_fm::coll::Form::Blocking);
            let call = Arc::new(call.own());
            let on_board = {
                let (process, comm, call) = (Arc::clone(process), Arc::clone(comm), Arc::clone(&call));
                blocking(move || {
                    let turn = Turn::new(&process, &comm, comm.board()?, tags);
                    call.on_board(&turn).then(|| turn.outcome())
                })
            };
            match on_board.await {
                Some(outcome) => outcome,
                None => call.run(&Cx::with_tags(process, comm, tags)).await,
            }
        }
        Way::Nonblocking => {
            let request = process.icollective(comm, call)?;
            finish(process, request).await
        }
        Way::Persistent => {
            let request = process.persistent_collective(comm, call)?;
            start(process, request)?;
            let result = finish(process, request).await;
            process.release(request)?;
            result
        }
    }
}

pub async fn finish(process: &Process, request: mpi_fm::handle::Handle) -> Result<()> {
    wait(process, request).await.error.map_or(Ok(()), Err)
}

/// `MPI_Start`
pub fn start(process: &Process, request: mpi_fm::handle::Handle) -> Result<()> {
    let slot = process.requests.get(request)?;
    let mut inner = slot.inner.lock();
    let State::Persistent(persistent) = &mut inner.state else { panic!("a persistent request") };
    persistent.active = (persistent.start)(process)?;
    Ok(())
}

/// Number of processes and what else varies from job to job; 1 to 9 processes.
pub fn jobs() -> impl Iterator<Item = Job> {
    (1..=9).map(|size| Job::new(size, u64::from(size)))
}

/// What rank `rank` has at `index`.
pub fn value(rank: usize, index: usize) -> i32 {
    (rank as i32 + 1).wrapping_mul(7919) ^ (index as i32).wrapping_mul(31)
}
