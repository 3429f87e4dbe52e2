//! The engine's messages, from peers that keep to no protocol.
//!
//! Process 0 of three has posted receives and started sends. What comes may complete them with anything; it may not write beside a receive's
//! buffer, nor into one that is being sent.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use fm::claims::WORDS;
use fm::{Device, Fm, Header, Inbox, Landing, Link, Park, Peer, Sink, Threading};
use mpi_fm::adi::envelope::{
    Announcement, BUDGET, CANCEL, CANCELLED, CLEAR_TO_SEND, DATA, EAGER, Envelope, FETCHED, HELP, HELPED, Invitation, Plane, READY_TO_SEND, Words,
};
use mpi_fm::adi::receive::From;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::comm::WORLD_SERIAL;
use mpi_fm::config::Config;
use mpi_fm::datatype::{Basic, Datatype};
use mpi_fm::handle::Handle;
use mpi_fm::host::Host;
use mpi_fm::part::Partner;
use mpi_fm::waiting::Waiting;
use mpi_fm::{Buf, Process};

use super::input::Input;
use super::packets::{Nowhere, PEERS, Packets};

/// Requests are numbered from here in every run, so that an input can name them.
const FIRST_REQUEST: u32 = 4 << 27;

/// Memory of neighbours can be read and written; long packets may land.
struct Neighbourhood {
    arrived: Packets,
    lands: bool,
    reads: bool,
    claims: [[AtomicU64; WORDS]; PEERS as usize],
}

const MAX_PACKET: usize = 1024;

impl Device for Neighbourhood {
    fn name(&self) -> &'static str {
        "neighbourhood"
    }

    fn max_packet(&self) -> usize {
        MAX_PACKET
    }

    fn lands(&self) -> bool {
        self.lands
    }

    fn credits(&self) -> Option<u16> {
        None
    }

    fn can_read(&self, _: Peer) -> bool {
        self.reads
    }

    /// Even addresses can be read.
    fn read(&self, _: Peer, address: u64, to: &mut [u8]) -> bool {
        to.fill(0xaa);
        address.is_multiple_of(2)
    }

    fn write(&self, _: Peer, address: u64, _: &[u8]) -> bool {
        address.is_multiple_of(2)
    }

    fn claims(&self, owner: Peer) -> Option<&[AtomicU64; WORDS]> {
        self.reads.then(|| &self.claims[owner.index()])
    }

    fn link(&self, _: Peer) -> Box<dyn Link> {
        Box::new(Nowhere(vec![0; MAX_PACKET]))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(Arrivals(Arc::clone(&self.arrived)))
    }
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

    /// Long packets land in pieces, if they have a place.
    fn poll_to(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        for polled in 0..budget {
            let Some((from, header, body)) = self.0.lock().expect("one thread").pop_front() else { return polled };
            match sink.place(from, header, &body[..body.len() / 2], body.len()) {
                Some(landing) if body.len() >= 32 => land(sink, from, landing, &body),
                Some(_) => (),
                None => sink.packet(from, header, &body),
            }
        }
        budget
    }

    fn arrived(&self) -> bool {
        !self.0.lock().expect("one thread").is_empty()
    }
}

fn land(sink: &mut dyn Sink, from: Peer, landing: Landing, body: &[u8]) {
    let mut at = landing.skip;
    while at < body.len() {
        let before = at;
        sink.land(from, landing, at, &mut |room| {
            let count = room.len().min(body.len() - at);
            room[..count].copy_from_slice(&body[at..at + count]);
            at += count;
            count
        });
        assert!(at > before, "a place without room");
    }
}

struct Nobody;

impl Park for Nobody {
    fn idle(&self, _: u32, _: &dyn Fn() -> bool) {
        panic!("a call waits that should not")
    }

    fn has_cores(&self) -> bool {
        true
    }

    fn wake(&self) {}
}

impl Host for Nobody {
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

/// Buffers with bytes between them that nobody may touch.
struct Memory {
    bytes: Vec<u8>,
    next: usize,
    /// What may be written.
    open: Vec<std::ops::Range<usize>>,
}

const GUARD: usize = 64;
const UNTOUCHED: u8 = 0x5a;

impl Memory {
    fn new() -> Self {
        Memory { bytes: vec![UNTOUCHED; 1 << 14], next: GUARD, open: Vec::new() }
    }

    fn take(&mut self, len: usize, writable: bool) -> Option<*mut u8> {
        let range = self.next..self.next + len;
        if range.end + GUARD > self.bytes.len() {
            return None;
        }
        self.next = range.end + GUARD;
        if writable {
            self.open.push(range.clone());
        }
        // SAFETY: inside the vector, which does not move while it lives.
        Some(unsafe { self.bytes.as_mut_ptr().add(range.start) })
    }

    fn check(&self) {
        let mut from = 0;
        let end = self.bytes.len();
        for (start, next) in self.open.iter().map(|open| (open.start, open.end)).chain([(end, end)]) {
            assert!(self.bytes[from..start].iter().all(|byte| *byte == UNTOUCHED), "written outside of all receives, in {from}..{start}");
            from = next;
        }
    }
}

pub fn run(data: &[u8]) {
    let mut input = Input(data);
    let kind = input.u8();
    let arrived = Packets::default();
    let claims = std::array::from_fn(|_| std::array::from_fn(|_| AtomicU64::new(0)));
    let device = Arc::new(Neighbourhood { arrived: Arc::clone(&arrived), lands: kind & 1 == 1, reads: kind & 2 == 2, claims });
    let fm = Fm::new(Peer(0), PEERS, vec![device], |_| 0, Threading::Single, false);
    let config = Config { eager_bytes_max: 64, fetch_bytes_min: 128, fetch_bytes_max: 512, help_bytes_min: 128, ..Config::default() };
    let process = Process::new(fm, Arc::new(Nobody), Arc::new(Nobody), config);
    let mut memory = Memory::new();
    let mut requests: Vec<Handle> = Vec::new();
    while !input.is_empty() {
        let (step, peer) = (input.u8(), 1 + input.u8() as usize % 2);
        match step {
            0..=31 => requests.extend(start(&process, &mut memory, step, peer)),
            32..=39 => {
                let Some(request) = requests.get(usize::from(step - 32)) else { continue };
                let _ = process.cancel(*request);
            }
            40..=47 => {
                let Some(request) = requests.get(usize::from(step - 40)) else { continue };
                let _ = process.start_persistent(*request);
                let _ = process.make_ready(*request, 0..2);
            }
            _ => {
                let header = Header::single(fm::HandlerId(step % 12));
                let length = usize::from(input.u16()) % (MAX_PACKET + 1);
                let mut body = input.bytes(length).to_vec();
                // Long ones need not be written out.
                body.resize(length, step);
                arrived.lock().expect("one thread").push_back((Peer(peer as u32), header, body));
            }
        }
        for _ in 0..4 {
            process.progress();
        }
    }
    memory.check();
    for request in requests {
        let _ = process.standing(request);
    }
}

/// An operation with `peer`, or with anybody.
fn start(process: &Arc<Process>, memory: &mut Memory, step: u8, peer: usize) -> Option<Handle> {
    let bytes: &Arc<Datatype> = process.types.get(Basic::MPI_BYTE);
    let length = [0, 16, 300, 1000][usize::from(step & 3)];
    let plane = if step & 4 == 0 { Plane::PointToPoint } else { Plane::Collective };
    let (comm, tag) = (process.world(), i32::from(step & 7));
    let writable = matches!(step, 0..=15 | 28..=29);
    let address = memory.take(length, writable)?;
    // SAFETY: the memory outlives the process's use of it.
    let buf = unsafe { Buf::new(address, length, bytes) };
    let partner = Partner { comm, rank: Some(peer), tag };
    match step {
        0..=15 => {
            let from = From { comm, rank: (step & 8 == 0).then_some(peer), tag: (plane == Plane::Collective).then_some(tag), plane };
            process.irecv(buf, from).ok()
        }
        16..=27 => {
            let mode = if step & 8 == 0 { Mode::Standard } else { Mode::Synchronous };
            process.isend(buf, Address { comm, rank: peer, tag, plane }, mode).ok()
        }
        28..=29 => {
            // SAFETY: as above, in two parts.
            let half = unsafe { Buf::new(address, length / 2, bytes) };
            process.partitioned_receive(half, 2, partner).ok()
        }
        _ => {
            // SAFETY: as above, in two parts.
            let half = unsafe { Buf::new(address, length / 2, bytes) };
            process.partitioned_send(half, 2, partner).ok()
        }
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let envelope = |plane, tag, sequence| Envelope { comm: WORLD_SERIAL, plane, tag, source: 1, sequence }.to_bytes();
    let packet = |handler: fm::HandlerId, body: &[u8]| {
        let step = 48 + handler.0;
        [&[step, 0], &(body.len() as u16).to_le_bytes()[..], body].concat()
    };
    let words = |a, b, long| Words { a, b, long }.to_bytes();
    let announced = |bytes, address| Announcement { send: 9, bytes, address }.words().to_bytes();
    let request = |nth| FIRST_REQUEST | nth;
    let point = envelope(Plane::PointToPoint, 3, 0);
    let scripts = [
        // A receive that is there, one that comes later, and one whose message is too long.
        vec![vec![9, 0], packet(EAGER, &[&point[..], b"hello"].concat()), packet(EAGER, &[&point[..], &[1; 60]].concat()), vec![8, 0, 9, 0]],
        // Announced: pushed, and fetched.
        vec![vec![11, 0], packet(READY_TO_SEND, &[point, announced(900, None)].concat()), packet(DATA, &[&words(request(0), 0, 0)[..], &[2; 900]].concat())],
        vec![vec![11, 0], packet(READY_TO_SEND, &[point, announced(400, Some(4096))].concat()), packet(HELPED, &[words(0, 0, 0), words(0, 0, 0)].concat())],
        // A send that is cleared, one that is fetched, one to be helped with, one that is taken back.
        vec![vec![19, 0], packet(CLEAR_TO_SEND, &words(request(0), 7, 1000)), vec![27, 0], packet(FETCHED, &words(request(1), 0, 0))],
        vec![
            vec![27, 0],
            packet(HELP, &Invitation { send: request(0), address: 4096, bytes: 1000, ticket: fm::claims::Ticket(0) }.to_bytes()),
            vec![32, 0],
            packet(CANCELLED, &words(request(0), 1, 0)),
        ],
        vec![packet(EAGER, &[&point[..], b"x"].concat()), packet(CANCEL, &[point, words(5, 0, 0)].concat()), packet(BUDGET, &words(1, 0, 60))],
        // Partitioned, both sides.
        vec![
            vec![28, 0, 40, 0],
            packet(READY_TO_SEND, &[envelope(Plane::Partitioned, 4, 0), announced(0, None)].concat()),
            vec![31, 0, 41, 0],
            packet(CLEAR_TO_SEND, &words(request(1), 3, 1000)),
            packet(DATA, &[&words(request(0), 0, 0)[..], &[3; 16]].concat()),
        ],
        vec![vec![13, 0], packet(EAGER, &[&envelope(Plane::Collective, 5, 0)[..], b"part"].concat())],
    ];
    let all = scripts.concat().concat();
    let each = scripts.iter().flat_map(|script| (0..4_u8).map(move |kind| [&[kind], &script.concat()[..]].concat()));
    each.chain([[&[3], &all[..]].concat()]).collect()
}
