//! Work of a fixed amount, whose instructions `cargo xtask test --only instructions` counts under callgrind: ranks of one
//! process on the simulated network, in a schedule that a seed fixes.
//!
//! `valgrind --tool=callgrind --collect-atstart=no '--toggle-collect=*counted*' instructions ping-pong`: what is counted is
//! what [`counted`] does, after the same has been done once to have memory and connections ready.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Job, wait};
use mpi_fm::adi::envelope::Plane;
use mpi_fm::adi::receive::From;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::coll::barrier::Barrier;
use mpi_fm::coll::{Collective, Cx, Form};
use mpi_fm::datatype::Basic;
use mpi_fm::{Buf, Process};
use std::sync::Arc;

const SEED: u64 = 1;

fn main() {
    match std::env::args().nth(1).as_deref() {
        Some("ping-pong") => twice(&Job::new(2, SEED), |job| drop(job.run(|process| ping_pong(process, 8, 1000)))),
        Some("send") => twice(&Job::new(2, SEED), |job| drop(job.run(|process| one_way(process, 64 << 10, 50)))),
        Some("barrier") => twice(&Job::new(8, SEED), |job| drop(job.run(|process| barriers(process, 100)))),
        _ => {
            eprintln!("usage: instructions ping-pong|send|barrier");
            std::process::exit(2);
        }
    }
}

fn twice(job: &Job, work: impl Fn(&Job)) {
    work(job);
    counted(job, work);
}

#[inline(never)]
fn counted(job: &Job, work: impl Fn(&Job)) {
    work(job);
}

async fn ping_pong(process: &Arc<Process>, bytes: usize, rounds: usize) {
    let (mut out, mut into) = (vec![1; bytes], vec![0; bytes]);
    for _ in 0..rounds {
        if process.world().rank == 0 {
            send(process, &mut out).await;
        }
        receive(process, &mut into).await;
        if process.world().rank == 1 {
            send(process, &mut out).await;
        }
    }
}

async fn one_way(process: &Arc<Process>, bytes: usize, messages: usize) {
    let mut memory = vec![0; bytes];
    for _ in 0..messages {
        if process.world().rank == 0 {
            send(process, &mut memory).await;
        } else {
            receive(process, &mut memory).await;
        }
    }
}

async fn barriers(process: &Arc<Process>, rounds: usize) {
    for _ in 0..rounds {
        let tags = Barrier.tags(process.world(), Form::Blocking);
        let cx = Cx::with_tags(process, process.world(), tags);
        Barrier.run(&cx).await.expect("a barrier of ranks that all take part");
    }
}

async fn send(process: &Process, memory: &mut [u8]) {
    let to = Address { comm: process.world(), rank: 1 - process.world().rank, tag: 1, plane: Plane::PointToPoint };
    let request = process.isend(buf(process, memory), to, Mode::Standard).expect("a send");
    assert!(wait(process, request).await.error.is_none());
}

async fn receive(process: &Process, memory: &mut [u8]) {
    let rank = Some(1 - process.world().rank);
    let from = From { comm: process.world(), rank, tag: Some(1), plane: Plane::PointToPoint };
    let request = process.irecv(buf(process, memory), from).expect("a receive");
    assert!(wait(process, request).await.error.is_none());
}

fn buf<'a>(process: &'a Process, memory: &mut [u8]) -> Buf<'a> {
    // SAFETY: the callers wait for the request before they touch or drop the memory.
    unsafe { Buf::new(memory.as_mut_ptr(), memory.len(), process.types.get(Basic::MPI_BYTE)) }
}
