//! Packets as a device hands them to Fast Messages: streams begun, continued and ended in any order, and credits given back.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use fm::{Device, Fm, HandlerId, Header, Inbox, Link, Peer, Receive, Threading, Upcall};

use super::input::Input;

pub const PEERS: u32 = 3;

/// What is to arrive.
pub type Packets = Arc<Mutex<VecDeque<(Peer, Header, Vec<u8>)>>>;

/// A device whose packets are made up. What it is given to send goes nowhere.
struct Scripted {
    arrived: Packets,
    credits: Option<u16>,
}

impl Scripted {
    const MAX_PACKET: usize = 256;
}

impl Device for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn max_packet(&self) -> usize {
        Self::MAX_PACKET
    }

    fn credits(&self) -> Option<u16> {
        self.credits
    }

    fn link(&self, _: Peer) -> Box<dyn Link> {
        Box::new(Nowhere(vec![0; Self::MAX_PACKET]))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(Arrivals(Arc::clone(&self.arrived)))
    }
}

pub struct Nowhere(pub Vec<u8>);

impl Link for Nowhere {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        self.0.get_mut(..len)
    }

    fn commit(&mut self, _: Header) {}
}

struct Arrivals(Packets);

impl Inbox for Arrivals {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        for polled in 0..budget {
            let Some((from, header, body)) = self.0.lock().expect("one thread").pop_front() else { return polled };
            deliver(from, header, &body);
        }
        budget
    }

    fn arrived(&self) -> bool {
        !self.0.lock().expect("one thread").is_empty()
    }
}

/// No stream gets more bytes than were announced, and none ends twice.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let credits = [None, Some(4)][usize::from(input.u8() & 1)];
    let arrived = Packets::default();
    let device = Arc::new(Scripted { arrived: Arc::clone(&arrived), credits });
    let fm = Fm::new(Peer(0), PEERS, vec![device], |_| 0, Threading::Single, true);
    let streams = Streams::default();
    while !input.is_empty() {
        let step = input.u8();
        if step < 32 {
            fm.try_send(Peer(1 + u32::from(step & 1)), HandlerId(1), usize::from(step), |room| room.fill(1));
        } else {
            let from = Peer(1 + u32::from(step & 1));
            // Stream numbers near the first ones, and the others now and then.
            let mut word = input.u64() & 0x0000_ffff_000f_ffff;
            if step > 250 {
                word |= u64::from(input.u16()) << 16;
            }
            let length = usize::from(input.u8());
            arrived.lock().expect("one thread").push_back((from, Header::from_bits(word), input.bytes(length).to_vec()));
        }
        fm.extract(8, &streams);
    }
    assert!(fm.counts().is_some());
}

#[derive(Default)]
struct Streams {
    violations: RefCell<u32>,
}

impl Upcall for Streams {
    fn message(&self, from: Peer, _: HandlerId, body: &[u8]) {
        assert!(from.0 < PEERS && body.len() < 256);
    }

    fn begin(&self, _: Peer, _: HandlerId, total: u64) -> Box<dyn Receive> {
        Box::new(Counted { left: total })
    }

    fn violation(&self, _: Peer, what: &str) {
        assert!(!what.is_empty());
        *self.violations.borrow_mut() += 1;
    }
}

struct Counted {
    left: u64,
}

impl Receive for Counted {
    fn piece(&mut self, bytes: &[u8]) {
        assert!(bytes.len() as u64 <= self.left, "more than was announced");
        self.left -= bytes.len() as u64;
    }

    fn end(self: Box<Self>) {}
}

pub fn seeds() -> Vec<Vec<u8>> {
    let packet = |kind: u8, stream: u8, credits: u8, body: &[u8]| {
        [&[40, 1, kind, stream, 0, credits, 0, 0, 0, body.len() as u8], body].concat()
    };
    let total = 12_u64.to_le_bytes();
    let script = [
        packet(1, 0, 0, b"single"),
        packet(2, 3, 1, &[&total[..], b"1234"].concat()),
        packet(3, 3, 0, b"5678"),
        packet(5, 0, 2, b""),
        vec![5, 6, 7, 8, 9, 10],
        packet(4, 3, 0, b"9012"),
        packet(2, 4, 0, b"short"),
        packet(0, 0, 0, b""),
    ];
    vec![[&[0][..], &script.concat()].concat(), [&[1][..], &script.concat()].concat()]
}
