//! Peers that keep to no protocol: a process of another version, or one whose memory was overwritten. What they send may fail or complete a
//! receive with anything; it writes nowhere else, and nothing panics.

mod common;

use std::sync::Arc;

use common::Job;
use fm::claims::Ticket;
use fm::sim::{Network, Plan};
use fm::{Fm, HandlerId, Peer, Receive, Threading, Upcall};
use mpi_fm::adi::envelope::{
    Announcement, BUDGET, CLEAR_TO_SEND, DATA, EAGER, Envelope, FETCHED, HELP, HELPED, Invitation, Plane, READY_TO_SEND, Words,
};
use mpi_fm::adi::receive::From;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::comm::WORLD_SERIAL;
use mpi_fm::config::Config;
use mpi_fm::datatype::Basic;
use mpi_fm::handle::Handle;
use mpi_fm::part::Partner;
use mpi_fm::request::complete::Standing;
use mpi_fm::{Buf, Process};

/// Process 0 is one of ours, 1 is only an endpoint.
struct Pair {
    network: Network,
    process: Arc<Process>,
    strange: Fm,
}

struct Deaf;

impl Upcall for Deaf {
    fn message(&self, _: Peer, _: HandlerId, _: &[u8]) {}

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        Box::new(Deaf)
    }
}

impl Receive for Deaf {
    fn piece(&mut self, _: &[u8]) {}
    fn end(self: Box<Self>) {}
}

impl Pair {
    fn new() -> Pair {
        let network = Network::new(1, 2, Plan::default());
        let config = Config { eager_bytes_max: 64, ..Config::default() };
        let process = Job::process(&network, 0, 2, config);
        let strange = Fm::new(Peer(1), 2, vec![network.device(Peer(1))], |_| 0, Threading::Single, false);
        Pair { network, process, strange }
    }

    /// Sends this, and lets it arrive.
    fn say(&self, handler: HandlerId, parts: &[&[u8]]) {
        let body = parts.concat();
        assert!(self.strange.try_send(Peer(0), handler, body.len(), |room| room.copy_from_slice(&body)));
        while self.network.advance() {
            self.process.progress();
            self.strange.extract(64, &Deaf);
        }
        self.process.progress();
    }

    fn buf(&self, memory: &mut [u8]) -> Buf<'_> {
        // SAFETY: the vectors of these tests outlive their processes.
        unsafe { Buf::new(memory.as_mut_ptr(), memory.len(), self.process.types.get(Basic::MPI_BYTE)) }
    }

    fn send(&self, memory: &mut [u8]) -> Handle {
        let to = Address { comm: self.process.world(), rank: 1, tag: 3, plane: Plane::PointToPoint };
        self.process.isend(self.buf(memory), to, Mode::Standard).expect("a request")
    }

    fn receive(&self, memory: &mut [u8]) -> Handle {
        let from = From { comm: self.process.world(), rank: Some(1), tag: Some(3), plane: Plane::PointToPoint };
        self.process.irecv(self.buf(memory), from).expect("a request")
    }

    fn partner(&self) -> Partner<'_> {
        Partner { comm: self.process.world(), rank: Some(1), tag: 3 }
    }

    fn is_done(&self, request: Handle) -> bool {
        self.process.standing(request).is_ok_and(|standing| !matches!(standing, Standing::Active))
    }
}

fn words(a: u32, b: u32, long: u64) -> [u8; Words::SIZE] {
    Words { a, b, long }.to_bytes()
}

fn envelope(plane: Plane) -> [u8; Envelope::SIZE] {
    Envelope { comm: WORLD_SERIAL, plane, tag: 3, source: 1, sequence: 0 }.to_bytes()
}

#[test]
fn a_buffer_that_is_sent_is_not_written() {
    let (pair, mut memory) = (Pair::new(), vec![7; 1000]);
    let send = pair.send(&mut memory);
    pair.say(DATA, &[&words(send, 0, 10), b"overwritten"]);
    let parts = pair.process.partitioned_send(pair.buf(&mut memory[..100]), 2, pair.partner()).unwrap();
    pair.process.start_persistent(parts).unwrap();
    pair.say(DATA, &[&words(parts, 0, 10), b"overwritten"]);
    assert_eq!(memory, [7; 1000]);
}

/// Between two rounds the memory is the program's.
#[test]
fn a_partitioned_receive_is_written_while_it_is_active() {
    let (pair, mut memory) = (Pair::new(), vec![7; 100]);
    let parts = pair.process.partitioned_receive(pair.buf(&mut memory), 1, pair.partner()).unwrap();
    pair.say(DATA, &[&words(parts, 0, 0), b"early"]);
    assert_eq!(memory, [7; 100]);
    pair.process.start_persistent(parts).unwrap();
    pair.say(DATA, &[&words(parts, 0, u64::MAX - 2), b"far behind the end"]);
    pair.say(DATA, &[&words(parts, 0, 1), b"in time"]);
    assert!(memory.starts_with(b"\x07in time\x07"));
}

#[test]
fn an_eager_message_does_not_meet_a_partitioned_receive() {
    let (pair, mut memory) = (Pair::new(), vec![7; 100]);
    let parts = pair.process.partitioned_receive(pair.buf(&mut memory), 1, pair.partner()).unwrap();
    pair.say(EAGER, &[&envelope(Plane::Partitioned), b"eager"]);
    pair.process.start_persistent(parts).unwrap();
    assert!(!pair.is_done(parts) && memory == [7; 100]);
}

#[test]
fn a_send_ends_once() {
    let (pair, mut memory) = (Pair::new(), vec![7; 1000]);
    let send = pair.send(&mut memory);
    for answer in [CLEAR_TO_SEND, FETCHED, CLEAR_TO_SEND, FETCHED] {
        pair.say(answer, &[&words(send, 0, 0)]);
        assert!(pair.is_done(send));
    }
    // Cleared twice, and more than it has; then fetched, while it is being pushed.
    let send = pair.send(&mut memory);
    for (answer, bytes) in [(CLEAR_TO_SEND, u64::MAX), (CLEAR_TO_SEND, 10), (FETCHED, 0)] {
        pair.say(answer, &[&words(send, 0, bytes)]);
    }
    assert!(pair.is_done(send));
}

#[test]
fn a_receive_ends_once() {
    let (pair, mut memory) = (Pair::new(), vec![7; 8]);
    let receive = pair.receive(&mut memory);
    pair.say(READY_TO_SEND, &[&envelope(Plane::PointToPoint), &Announcement { send: 9, bytes: 8, address: None }.words().to_bytes()]);
    for _ in 0..3 {
        pair.say(DATA, &[&words(receive, 0, 0), b"too much"]);
    }
    assert!(pair.is_done(receive) && memory == b"too much");
}

#[test]
fn nobody_is_helped_with_what_is_not_there() {
    let (pair, mut memory) = (Pair::new(), vec![7; 1000]);
    let send = pair.send(&mut memory);
    for bytes in [0, 1001, u64::MAX] {
        pair.say(HELP, &[&Invitation { send, address: u64::MAX, bytes, ticket: Ticket(u64::MAX) }.to_bytes()]);
    }
    pair.say(HELPED, &[&words(1, 2, u64::MAX - 1), &words(0, 0, u64::MAX)]);
    assert!(!pair.is_done(send));
}

#[test]
fn a_budget_has_an_end() {
    let pair = Pair::new();
    for _ in 0..2 {
        pair.say(BUDGET, &[&words(u32::MAX, 0, u64::MAX)]);
    }
    pair.send(&mut [1, 2, 3]);
}
