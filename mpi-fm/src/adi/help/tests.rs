//! The receiver's side while a sender writes into its memory. The sender is played: it takes portions by the word that both share, and answers
//! when the test says so.

use super::*;
use crate::adi::envelope::{Announcement, FETCHED};
use crate::adi::receive::From;
use crate::buf::Buf;
use crate::comm::WORLD_SERIAL;
use crate::config::Config;
use crate::datatype::Basic;
use crate::host::Host;
use crate::waiting::Waiting;
use fm::claims::{Claims, Portion, WORDS};
use fm::{Device, Fm, HandlerId, Header, Inbox, Link, Park, Threading};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

const BYTES: usize = 1 << 20;

/// What process 0 has and sees of the network and of its neighbour, process 1.
#[derive(Default)]
struct Scene {
    arriving: Mutex<VecDeque<(HandlerId, Vec<u8>)>>,
    sent: Mutex<Vec<(HandlerId, Vec<u8>)>>,
    words: [[AtomicU64; WORDS]; 2],
    /// Rounds of waiting so far, and after how many the sender answers with what.
    waited: AtomicU32,
    answer: Mutex<Option<(u32, Vec<u8>)>>,
}

struct Neighbour(Arc<Scene>);

impl Device for Neighbour {
    fn name(&self) -> &'static str {
        "neighbour"
    }

    fn max_packet(&self) -> usize {
        4096
    }

    fn credits(&self) -> Option<u16> {
        None
    }

    fn can_read(&self, _: Peer) -> bool {
        true
    }

    fn read(&self, _: Peer, _: u64, to: &mut [u8]) -> bool {
        to.fill(1);
        true
    }

    fn claims(&self, owner: Peer) -> Option<&[AtomicU64; WORDS]> {
        Some(&self.0.words[owner.index()])
    }

    fn link(&self, _: Peer) -> Box<dyn Link> {
        Box::new(Sent(Arc::clone(&self.0), Vec::new()))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(Arriving(Arc::clone(&self.0)))
    }
}

struct Sent(Arc<Scene>, Vec<u8>);

impl Link for Sent {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        self.1 = vec![0; len];
        Some(&mut self.1)
    }

    fn commit(&mut self, header: Header) {
        self.0.sent.lock().push((header.handler(), std::mem::take(&mut self.1)));
    }
}

struct Arriving(Arc<Scene>);

impl Inbox for Arriving {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        for polled in 0..budget {
            let Some((handler, body)) = self.0.arriving.lock().pop_front() else { return polled };
            deliver(Peer(1), Header::single(handler), &body);
        }
        budget
    }

    fn arrived(&self) -> bool {
        !self.0.arriving.lock().is_empty()
    }
}

/// How process 0 waits: the sender goes on meanwhile.
struct Meanwhile(Arc<Scene>);

impl Park for Meanwhile {
    fn idle(&self, _: u32, _: &dyn Fn() -> bool) {
        panic!("nobody sleeps here")
    }

    fn give_way(&self, _: u32) {
        let waited = self.0.waited.fetch_add(1, Relaxed) + 1;
        assert!(waited < 100, "it waits for an answer that does not come");
        if let Some((_, answer)) = self.0.answer.lock().take_if(|(after, _)| *after == waited) {
            self.0.arriving.lock().push_back((HELPED, answer));
        }
    }

    fn has_cores(&self) -> bool {
        true
    }

    fn wake(&self) {}
}

impl Host for Meanwhile {
    fn wtime(&self) -> f64 {
        0.0
    }

    fn waits(&self, _: &Waiting) {}

    fn goes_on(&self) {}

    fn is_waiting(&self) -> bool {
        false
    }

    fn asks(&self, _: &Waiting, _: u32, _: bool) {}

    fn has_asked(&self) {}

    fn abort(&self, code: i32) -> ! {
        panic!("aborted with code {code}")
    }

    fn node(&self) -> u64 {
        0
    }

    fn processor_name(&self) -> String {
        "here".to_owned()
    }
}

/// A receive of process 0 whose message has been announced, and which has invited its sender to help.
struct Shared {
    scene: Arc<Scene>,
    process: Arc<Process>,
    receive: Handle,
    ticket: Ticket,
    _memory: Vec<u8>,
}

impl Shared {
    fn new() -> Shared {
        let scene = Arc::<Scene>::default();
        let device: Arc<dyn Device> = Arc::new(Neighbour(Arc::clone(&scene)));
        let fm = Fm::new(Peer(0), 2, vec![device], |_| 0, Threading::Single, false);
        let park = Arc::new(Meanwhile(Arc::clone(&scene)));
        let process = Process::new(fm, park.clone(), park, Config::default());
        let mut memory = vec![0; BYTES];
        // SAFETY: the vector lives as long as the process.
        let buf = unsafe { Buf::new(memory.as_mut_ptr(), BYTES, process.types.get(Basic::MPI_BYTE)) };
        let from = From { comm: process.world(), rank: Some(1), tag: Some(0), plane: Plane::Collective };
        let receive = process.irecv(buf, from).expect("a request");
        let envelope = Envelope { comm: WORLD_SERIAL, plane: Plane::Collective, tag: 0, source: 1, sequence: 0 };
        let announcement = Announcement { send: 9, bytes: BYTES as u64, address: Some(4096) };
        let body = [envelope.to_bytes(), announcement.words().to_bytes()].concat();
        scene.arriving.lock().push_back((crate::adi::envelope::READY_TO_SEND, body));
        // No more than that: the first round of progress would read its own part, too.
        process.fm.extract(1, &Handlers(&process));
        let invitation = match &scene.sent.lock()[..] {
            [(HELP, body)] => Invitation::read(body).expect("an invitation"),
            others => panic!("{} messages instead of an invitation", others.len()),
        };
        assert_eq!(invitation.bytes, BYTES as u64);
        Shared { scene, process, receive, ticket: invitation.ticket, _memory: memory }
    }

    /// The sender takes a portion, if there is one to be had.
    fn take(&self) -> Option<Portion> {
        Claims(&self.scene.words[0]).take(self.ticket, Cut::of(BYTES as u64), End::of(Peer(1), Peer(0)), PORTION_MAX)
    }

    /// The sender is through with what it has taken, but for `left`, after so many rounds.
    fn answer_after(&self, rounds: u32, left: Range<u64>) {
        *self.scene.answer.lock() = Some((rounds, Answer::to_bytes(self.ticket, left).to_vec()));
    }

    fn waited(&self) -> u32 {
        self.scene.waited.load(Relaxed)
    }

    /// How often the sender was told that its buffer is free.
    fn told(&self) -> usize {
        self.scene.sent.lock().iter().filter(|(handler, _)| *handler == FETCHED).count()
    }
}

#[test]
fn a_receive_that_is_given_up_waits_for_a_sender_which_writes() {
    let shared = Shared::new();
    assert!(shared.take().is_some());
    shared.answer_after(5, 0..0);
    shared.process.abandon(shared.receive);
    // Once more than that: it looks for the answer before it gives way.
    assert_eq!((shared.waited(), shared.told()), (6, 1));
    assert!(shared.take().is_none(), "nothing is handed out any more");
    assert!(!shared.process.copy_some(), "there is nothing left to copy");
}

#[test]
fn one_that_has_not_begun_is_not_waited_for() {
    let shared = Shared::new();
    shared.process.abandon(shared.receive);
    assert_eq!((shared.waited(), shared.told()), (0, 1));
    assert!(shared.take().is_none());
}

/// The process has read its own part already, and only the sender's is missing.
#[test]
fn one_that_is_the_last_to_write_is_waited_for() {
    let shared = Shared::new();
    assert!(shared.take().is_some());
    while shared.process.copy_some() {}
    shared.answer_after(3, 0..0);
    shared.process.abandon(shared.receive);
    assert_eq!((shared.waited(), shared.told()), (4, 1));
}

/// What the sender could not write nobody reads into a buffer that has been given up.
#[test]
fn what_it_could_not_write_is_let_go() {
    let shared = Shared::new();
    let portion = shared.take().expect("a portion");
    shared.answer_after(2, portion.bytes);
    shared.process.abandon(shared.receive);
    while shared.process.copy_some() {}
    assert_eq!((shared.waited(), shared.told()), (3, 1));
}
