//! The ways to make a call.

use crate::common::{Job, blocking, wait};
use mpi_fm::coll::board::Turn;
use mpi_fm::coll::select::{ALWAYS, Tuning};
use mpi_fm::coll::{Collective, Cx};
use mpi_fm::comm::Comm;
use mpi_fm::config::Config;
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

/// Number of processes and what else varies from job to job; 1 to 9 processes. Some go by thresholds that no machine has: each choice has to
/// be right at every length.
pub fn jobs() -> impl Iterator<Item = Job> {
    let strange = |tuning: Tuning| [2, 9].into_iter().map(move |size| Job::with(size, 1, Config { tuning, ..Config::default() }));
    (1..=9).map(|size| Job::new(size, u64::from(size))).chain(strange(ON_BOARDS)).chain(strange(IN_PARTS))
}

/// Everything on boards, in short pieces.
const ON_BOARDS: Tuning = Tuning {
    board_piece_max: 1 << 10,
    board_stream_min: 1 << 10,
    bcast_board_pair_max: ALWAYS,
    allreduce_message_pair_end: 0,
    allreduce_alone_max: ALWAYS,
    gather_board_pair_max: ALWAYS,
    gather_board_max: ALWAYS,
    allgather_board_pair_max: ALWAYS,
    allgather_board_max: ALWAYS,
    alltoall_board_pair_max: ALWAYS,
    alltoall_board_max: ALWAYS,
    alltoall_board_sum_max: ALWAYS,
    ..IN_PARTS
};

/// Nothing on boards but what has no choice; by messages what the default leaves to long vectors or short blocks, and the other way about.
const IN_PARTS: Tuning = Tuning {
    board_members_max: 1024,
    board_piece_max: 32 << 10,
    board_stream_min: 32 << 10,
    bcast_board_pair_max: 0,
    bcast_board_max: 0,
    reduce_board_max: 0,
    allreduce_message_pair_min: 0,
    allreduce_message_pair_end: ALWAYS,
    allreduce_board_max: 0,
    allreduce_alone_max: 0,
    gather_board_pair_max: 0,
    gather_board_max: 0,
    allgather_board_pair_max: 0,
    allgather_board_max: 0,
    alltoall_board_pair_max: 0,
    alltoall_board_max: 0,
    alltoall_board_sum_max: 0,
    bcast_scatter_min: 0,
    gather_tree_max: ALWAYS,
    allgather_doubling_max: 0,
    allgather_in_place_min: 0,
    alltoall_bruck_max: ALWAYS,
    alltoall_spread_max: 0,
    reduce_halving_min: 0,
    allreduce_pair_min: 0,
    allreduce_pair_max: ALWAYS,
    allreduce_halving_min: 0,
    reduce_scatter_halving_max: ALWAYS,
};

/// What rank `rank` has at `index`.
pub fn value(rank: usize, index: usize) -> i32 {
    (rank as i32 + 1).wrapping_mul(7919) ^ (index as i32).wrapping_mul(31)
}
