//! The segment of `devices/smp`: memory that neighbours write as they like.

use std::cell::Cell;
use std::os::fd::AsFd;

use fm::board::Neighbours;
use fm::{Device, Fm, HandlerId, Peer, Receive, Threading, Upcall};
use hpvm_smp::Smp;

use super::input::Input;

/// With so many, receivers look at every ring …
const FEW: u32 = 2;
/// … and with so many at their arrival bytes.
const MANY: u32 = 9;
const PAGE: u64 = 4096;

/// Process 0 extracts and sends while the input writes into control pages, rings and pools. Messages may be garbled, lost or made up; no index
/// goes astray.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let ranks = if input.u8() & 1 == 0 { FEW } else { MANY };
    let memory = Smp::memory().expect("memory to share");
    let peers: Vec<Peer> = (0..ranks).map(Peer).collect();
    let smp = Smp::attach(memory.as_fd(), 0, &peers, Threading::Single).expect("a segment");
    let smp = std::sync::Arc::new(smp);
    let fm = Fm::new(Peer(0), ranks, vec![smp.clone()], |_| 0, Threading::Single, false);
    let notes = Notes::default();
    // Control pages, then rings: eight pages each among few, four among many; then pools.
    let pages = u64::from(ranks) + u64::from(ranks * ranks) * if ranks == FEW { 8 } else { 4 };
    while !input.is_empty() {
        match input.u8() {
            // A page anywhere in front of the pools.
            0..=80 => {
                let (page, at, length) = (u64::from(input.u16()), u64::from(input.u16()), usize::from(input.u8()));
                let at = (page % pages) * PAGE + at % PAGE;
                write(&memory, at, input.bytes(length));
            }
            // The ring from 1 to 0, of which the reader has read so many cells: behind its head's line.
            81..=180 => {
                let cell = u64::from(input.u8());
                let ring = u64::from(ranks) * PAGE + if ranks == FEW { 8 * PAGE } else { 4 * PAGE };
                write(&memory, ring + 64 * (1 + cell), input.bytes(16));
                // Somebody has written: process 0's arrival bytes.
                if ranks == MANY {
                    write(&memory, ARRIVALS + 1, &[input.u8()]);
                }
            }
            // How far receiver 1 says it has read the ring from 0 to 1.
            181..=200 => {
                let ring = u64::from(ranks) * PAGE + u64::from(ranks) * if ranks == FEW { 8 * PAGE } else { 4 * PAGE };
                write(&memory, ring, input.bytes(4));
            }
            step => {
                let len = usize::from(input.u16()) % (fm.max_message(Peer(1)) + 1);
                fm.try_send(Peer(1 + u32::from(step) % (ranks - 1)), HandlerId(1), len, |room| room.fill(step));
            }
        }
        fm.extract(64, &notes);
        fm.arrived();
    }
    smp.can_read(Peer(1));
    let neighbours: std::sync::Arc<dyn Neighbours> = smp.neighbours().expect("a region of memory");
    assert!(neighbours.region(Peer(1)).is_some());
}

/// Behind five lines and the processors of the control page.
const ARRIVALS: u64 = 5 * 64 + 128;

fn write(memory: impl AsFd, at: u64, bytes: &[u8]) {
    let written = rustix::io::pwrite(memory, bytes, at).expect("the segment can be written");
    assert_eq!(written, bytes.len());
}

#[derive(Default)]
struct Notes {
    /// What was read of messages: all of it is to be readable.
    sum: Cell<u64>,
}

impl Notes {
    fn read(&self, bytes: &[u8]) {
        self.sum.set(bytes.iter().fold(self.sum.get(), |sum, byte| sum.wrapping_add(u64::from(*byte))));
    }
}

impl Upcall for Notes {
    fn message(&self, _: Peer, _: HandlerId, body: &[u8]) {
        self.read(body);
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        Box::new(Ignored)
    }

    fn violation(&self, _: Peer, _: &str) {}
}

struct Ignored;

impl Receive for Ignored {
    fn piece(&mut self, _: &[u8]) {}
    fn end(self: Box<Self>) {}
}

pub fn seeds() -> Vec<Vec<u8>> {
    // Words of a small packet, a span, a large cell and a skip, in the first lap; the device's bits are the upper 16.
    let cell = |place: u16, rest: [u8; 8]| {
        let word = 0x0101 | u64::from(place) << 48 | 1 << 63;
        [&word.to_le_bytes()[..], &rest].concat()
    };
    let mut script = Vec::new();
    for (at, place) in [0_u16, 5, 56, 100, 0x4000, 0x2000, 0x7fff].into_iter().enumerate() {
        script.extend([100, at as u8]);
        script.extend(cell(place, [1, 0, 2, 0, 100, 0, 0, 0]));
        script.push(at as u8);
    }
    let sends: Vec<u8> = (0..40_u8).flat_map(|step| [201, step.wrapping_mul(37), step, 190, step, 0, 0, 0]).collect();
    [[&[0], &script[..]].concat(), [&[1], &script[..]].concat(), [&[0], &sends[..]].concat(), [&[1, 3, 1, 0, 64, 8], &sends[..]].concat()].into()
}
