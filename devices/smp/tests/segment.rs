//! The segment's memory: how much of it is touched, how many processes it serves, and what garbage in it can do.

use fm::sim::Random;
use fm::{Fm, HandlerId, Peer, Receive, Threading, Upcall};
use hpvm_smp::{RANKS_MAX, Smp};
use std::cell::RefCell;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

const MIB: u64 = 1 << 20;

fn endpoint(memory: &OwnedFd, me: u32, ranks: u32) -> Fm {
    let peers: Vec<Peer> = (0..ranks).map(Peer).collect();
    let smp = Smp::attach(memory.as_fd(), me, &peers, Threading::Single).expect("memory to share");
    Fm::new(Peer(me), ranks, vec![Arc::new(smp)], |_| 0, Threading::Single, false)
}

/// Bytes of the segment that take up memory.
fn touched(memory: &OwnedFd) -> u64 {
    let file = File::from(memory.try_clone().expect("a second descriptor"));
    file.metadata().expect("the file's size").blocks() * 512
}

/// Notes who sent what, and what was refused as nonsense.
#[derive(Default)]
struct Notes {
    received: RefCell<Vec<(Peer, Vec<u8>)>>,
    violations: RefCell<u64>,
}

impl Upcall for Notes {
    fn message(&self, from: Peer, _: HandlerId, body: &[u8]) {
        self.received.borrow_mut().push((from, body.to_vec()));
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        Box::new(Ignored)
    }

    fn violation(&self, _: Peer, _: &str) {
        *self.violations.borrow_mut() += 1;
    }
}

struct Ignored;

impl Receive for Ignored {
    fn piece(&mut self, _: &[u8]) {}
    fn end(self: Box<Self>) {}
}

#[test]
fn memory_is_touched_at_first_contact() {
    let memory = Smp::memory().unwrap();
    let ranks = 256;
    let endpoints: Vec<Fm> = (0..ranks).map(|me| endpoint(&memory, me, ranks)).collect();
    for fm in &endpoints {
        assert_eq!(fm.extract(8, &Notes::default()), 0);
        assert!(!fm.arrived());
    }
    assert!(touched(&memory) < 100 * MIB, "{} bytes before first contact", touched(&memory));
    for (index, fm) in endpoints.iter().enumerate() {
        // Each talks to its neighbours and to one far away.
        for distance in [1, 16, 128] {
            let to = Peer((index as u32 + distance) % ranks);
            assert!(fm.try_send(to, HandlerId(0), 8, |room| room.fill(1)));
        }
    }
    for fm in &endpoints {
        let notes = Notes::default();
        assert_eq!(fm.extract(8, &notes), 3);
    }
    assert!(touched(&memory) < 100 * MIB, "{} bytes after a few contacts", touched(&memory));
}

#[test]
fn an_alltoall_stays_bounded() {
    let memory = Smp::memory().unwrap();
    let ranks = 64;
    let endpoints: Vec<Fm> = (0..ranks).map(|me| endpoint(&memory, me, ranks)).collect();
    for round in 0..3 {
        for len in [8, 1000] {
            for fm in &endpoints {
                let others = (0..ranks).map(Peer).filter(|&to| to != fm.me());
                others.for_each(|to| assert!(fm.try_send(to, HandlerId(0), len, |room| room.fill(round))));
            }
            for fm in &endpoints {
                let notes = Notes::default();
                assert_eq!(fm.extract(1000, &notes), ranks as usize - 1);
                let received = notes.received.borrow();
                assert!(received.iter().all(|(_, body)| body.len() == len && body.iter().all(|&byte| byte == round)));
            }
        }
    }
    // A page per pair, and the few large cells that are on loan at once.
    let bound = u64::from(ranks * ranks) * 4096 + u64::from(ranks) * MIB / 4;
    assert!(touched(&memory) < bound, "{} bytes touched", touched(&memory));
}

#[test]
fn a_thousand_processes_have_room() {
    let memory = Smp::memory().unwrap();
    let (first, last) = (endpoint(&memory, 0, RANKS_MAX), endpoint(&memory, RANKS_MAX - 1, RANKS_MAX));
    let notes = Notes::default();
    assert!(first.try_send(last.me(), HandlerId(0), 30_000, |room| room.fill(7)));
    assert_eq!(last.extract(1, &notes), 1);
    assert!(last.try_send(first.me(), HandlerId(0), 5, |room| room.fill(9)));
    assert_eq!(first.extract(1, &notes), 1);
    assert_eq!(notes.received.into_inner(), [(first.me(), vec![7; 30_000]), (last.me(), vec![9; 5])]);
    assert!(touched(&memory) < MIB);
}

#[test]
fn more_processes_than_fit_are_refused() {
    let memory = Smp::memory().unwrap();
    let peers: Vec<Peer> = (0..=RANKS_MAX).map(Peer).collect();
    assert!(Smp::attach(memory.as_fd(), 0, &peers, Threading::Single).is_err());
    assert!(Smp::attach(memory.as_fd(), 2, &peers[..2], Threading::Single).is_err());
}

/// A peer that writes garbage over everything: messages may be lost, garbled or made up, but nothing outside the segment is
/// read (the test would crash) and the endpoint goes on.
#[test]
fn garbage_is_survived() {
    for (ranks, ring_pages) in [(2, 64), (12, 4)] {
        let memory = Smp::memory().unwrap();
        let me = endpoint(&memory, 0, ranks);
        let file = File::from(memory.try_clone().unwrap());
        let mut random = Random::new(u64::from(ranks));
        let notes = Notes::default();
        // Control pages and rings lie at the segment's start; large cells are only bytes.
        let size = u64::from(ranks + ranks * ranks * ring_pages) * 4096;
        for round in 0..200 {
            let mut page = [0u8; 4096];
            page.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random.next_u64().to_le_bytes()));
            if round % 2 == 0 {
                // Half of the rounds: words that look like packets, lengths and cell numbers near the bounds.
                for cell in page.chunks_mut(64) {
                    cell[1] = 1 + (cell[1] % 5);
                    let reference = [cell[8], 0, cell[9] % 4, 0, cell[10], cell[11] % 130, 0, 0];
                    cell[8..16].copy_from_slice(&reference);
                }
            }
            for offset in (0..size).step_by(4096) {
                file.write_all_at(&page, offset).unwrap();
            }
            me.extract(1000, &notes);
            me.arrived();
            me.try_send(Peer(1), HandlerId(0), random.below(40_000).min(32_000) as usize, |room| room.fill(1));
        }
        assert!(*notes.violations.borrow() > 0, "nothing was noticed");
        assert!(!notes.received.borrow().is_empty(), "no garbage passed for a message");
    }
}

#[test]
fn nobody_waits_for_ever_while_another_one_sends_on() {
    for ranks in [5, 12] {
        let memory = Smp::memory().unwrap();
        let all: Vec<Fm> = (0..ranks).map(|rank| endpoint(&memory, rank, ranks)).collect();
        let (receiver, senders) = all.split_first().unwrap();
        let notes = Notes::default();
        let send = |sender: &Fm| assert!(sender.try_send(receiver.me(), HandlerId(0), 1, |room| room.fill(0)));
        senders.iter().for_each(send);
        for _ in 0..3 * ranks {
            // The first sender has always one more.
            send(&senders[0]);
            receiver.extract(1, &notes);
        }
        for sender in senders {
            let served = notes.received.borrow().iter().any(|(from, _)| *from == sender.me());
            assert!(served, "process {} of {ranks} was never served", sender.me().0);
        }
    }
}
