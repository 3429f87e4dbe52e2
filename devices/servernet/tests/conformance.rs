//! FM's conformance tests over two networks that this machine has with itself: between threads that each play a process, with networks that carry,
//! that lose, repeat, overtake and change datagrams, and of which one is cut at times.

use fm::conformance::{Fixture, Program, Step};
use fm::{Device, Fm, Peer, Threading};
use hpvm_servernet::{Contact, Cuts, Ends, Key, Network, Plan, Servernet};
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Long enough for a loaded machine: only a hang takes longer.
const LIMIT: Duration = Duration::from_secs(200);

const ADDRESSES: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::new(127, 0, 0, 1)), IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))];

#[derive(Clone, Copy)]
struct Settings {
    /// `Plan::parse` reads it.
    faults: &'static str,
    /// Fabrics are cut and mended in turn.
    cut: bool,
    look_every: u32,
    /// Rounds of vain polls before a sleep.
    spins: u32,
}

const WELL: Settings = Settings { faults: "", cut: false, look_every: 1, spins: 2000 };
const FAULTY: &str = "seed=1,lost=0.01,doubled=0.01,late=0.05,changed=0.001";

/// A device for each process.
fn devices(nodes: usize, settings: Settings, cuts: &Arc<Cuts>) -> Vec<Servernet> {
    let ends: Vec<Ends> = (0..nodes).map(|_| Ends::new(&ADDRESSES).expect("sockets")).collect();
    let cards: Vec<_> = ends.iter().map(Ends::card).collect();
    let device = |(me, ends): (u32, Ends)| {
        let contact = |(peer, card): (u32, &hpvm_servernet::Card)| (peer != me).then_some(Contact { card: *card, addresses: ADDRESSES });
        let peers = (0..).zip(&cards).map(contact).collect();
        let faults = (!settings.faults.is_empty()).then(|| Plan::parse(settings.faults).expect("faults"));
        let log = Box::new(move |what: &str| assert!(!settings.faults.is_empty(), "{what}"));
        let network = Network { me: Peer(me), key: Key([7; 32]), peers, look_every: settings.look_every, faults, cuts: cuts.clone(), log };
        Servernet::new(ends, network).expect("a device")
    };
    (0..).zip(ends).map(device).collect()
}

fn sleep(device: &Servernet) {
    let limit = device.limit().map_or(1000, |limit| limit.as_millis().min(1000) as i32);
    let mut polled = libc::pollfd { fd: device.descriptor().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor, which is open.
    unsafe { libc::poll(&raw mut polled, 1, limit) };
}

/// Runs a program to its end, and leaves when everything has arrived.
fn drive(program: &mut dyn Program, me: u32, nodes: u32, device: Servernet, settings: Settings) {
    let device = Arc::new(device);
    let fm = Fm::new(Peer(me), nodes, vec![device.clone() as Arc<dyn Device>], |_| 0, Threading::Single, false);
    let mut round = 0;
    loop {
        match program.step(&fm) {
            Step::Done => break,
            Step::Busy => round = 0,
            Step::Idle if round < settings.spins => {
                round += 1;
                std::thread::yield_now();
            }
            Step::Idle => {
                if !fm.arrived() {
                    sleep(&device);
                }
            }
        }
    }
    while !fm.close() {
        fm.extract(64, &Nothing);
        std::thread::yield_now();
    }
}

/// Nothing may arrive any more once a program is done, but for credits and the like.
struct Nothing;

impl fm::Upcall for Nothing {
    fn message(&self, from: Peer, _: fm::HandlerId, _: &[u8]) {
        panic!("a late message from {}", from.0);
    }

    fn begin(&self, from: Peer, _: fm::HandlerId, _: u64) -> Box<dyn fm::Receive> {
        panic!("a late message from {}", from.0);
    }
}

/// Each node is a thread.
struct Threads(Settings);

impl Fixture for Threads {
    fn run(&self, programs: Vec<Box<dyn Program>>) {
        let (cuts, settings) = (Arc::new(Cuts::default()), self.0);
        let nodes = programs.len();
        let (done, finished) = mpsc::channel();
        for (me, (mut program, device)) in (0..).zip(programs.into_iter().zip(devices(nodes, settings, &cuts))) {
            let done = done.clone();
            std::thread::spawn(move || {
                drive(&mut *program, me, nodes as u32, device, settings);
                done.send(()).expect("the test waits for all nodes");
            });
        }
        drop(done);
        let over = Arc::new(AtomicBool::new(false));
        let cutter = settings.cut.then(|| {
            let (cuts, over) = (cuts.clone(), over.clone());
            std::thread::spawn(move || cut_in_turn(&cuts, &over))
        });
        for _ in 0..nodes {
            finished.recv_timeout(LIMIT).expect("a node failed or hangs");
        }
        over.store(true, Relaxed);
        cutter.into_iter().for_each(|cutter| cutter.join().expect("cuts"));
    }
}

/// X, nothing, Y, nothing, and again, at lengths that do not repeat soon.
fn cut_in_turn(cuts: &Cuts, over: &AtomicBool) {
    for turn in 0u64.. {
        for (fabric, cut) in [(0, true), (0, false), (1, true), (1, false)] {
            cuts.0[fabric].store(cut, Relaxed);
            let end = Instant::now() + Duration::from_millis(5 + turn * 7 % 40);
            while Instant::now() < end {
                if over.load(Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

fm::conformance_tests!(fabrics_that_carry, Threads(WELL));
fm::conformance_tests!(processes_that_sleep, Threads(Settings { look_every: 8, spins: 0, ..WELL }));
fm::conformance_tests!(fabrics_that_lose, Threads(Settings { faults: FAULTY, ..WELL }));
fm::conformance_tests!(fabrics_that_fail, Threads(Settings { cut: true, ..WELL }));

/// Takes numbered messages. Those with odd numbers have a place, of which parts are lent.
struct Numbered {
    state: parking_lot::Mutex<Taken>,
}

#[derive(Default)]
struct Taken {
    count: u64,
    place: Vec<u8>,
}

const BODY: usize = 50_000;
/// Before the body: the number.
const HEAD: usize = 8;

fn body(number: u64) -> Vec<u8> {
    (0..BODY as u64).map(|at| (number * 31 + at * 7 + (at >> 8)) as u8).collect()
}

impl fm::Upcall for Numbered {
    fn message(&self, _: Peer, _: fm::HandlerId, bytes: &[u8]) {
        let mut state = self.state.lock();
        assert_eq!(bytes.first_chunk(), Some(&state.count.to_le_bytes()));
        assert!(state.count.is_multiple_of(2) && bytes[HEAD..] == body(state.count));
        state.count += 1;
    }

    fn begin(&self, from: Peer, _: fm::HandlerId, _: u64) -> Box<dyn fm::Receive> {
        panic!("a stream from {}", from.0);
    }

    fn place(&self, _: Peer, _: fm::HandlerId, head: &[u8], len: usize) -> Option<fm::Landing> {
        let mut state = self.state.lock();
        assert_eq!((head.first_chunk(), len), (Some(&state.count.to_le_bytes()), HEAD + BODY));
        state.place = vec![0; BODY];
        (state.count % 2 == 1).then_some(fm::Landing { place: 1, skip: HEAD, len, offset: 0 })
    }

    fn land(&self, _: Peer, landing: fm::Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        let mut state = self.state.lock();
        let start = at - HEAD;
        let filled = fill(&mut state.place[start..(start + 777).min(BODY)]);
        if at + filled == landing.len {
            assert!(state.place == body(state.count), "message {}", state.count);
            state.count += 1;
        }
    }
}

/// Each comes whole, in order, to where it is to go.
fn long_messages_come_to_their_place(settings: Settings) {
    const MESSAGES: u64 = 300;
    let mut both = devices(2, settings, &Arc::new(Cuts::default())).into_iter().map(Arc::new);
    let (ours, theirs) = (both.next().expect("two"), both.next().expect("two"));
    let fm = |me: u32, device: &Arc<Servernet>| Fm::new(Peer(me), 2, vec![device.clone() as Arc<dyn Device>], |_| 0, Threading::Single, false);
    let sender = std::thread::spawn(move || {
        let fm = fm(0, &ours);
        for number in 0..MESSAGES {
            while !fm.try_send_from(Peer(1), fm::HandlerId(1), &number.to_le_bytes(), &body(number)) {
                fm.extract(64, &Nothing);
                std::thread::yield_now();
            }
        }
        while !fm.close() {
            fm.extract(64, &Nothing);
            std::thread::yield_now();
        }
    });
    let (fm, numbered, end) = (fm(1, &theirs), Numbered { state: Default::default() }, Instant::now() + LIMIT);
    while numbered.state.lock().count < MESSAGES {
        fm.extract(64, &numbered);
        std::thread::yield_now();
        assert!(Instant::now() < end, "it hangs");
    }
    while !fm.close() || !sender.is_finished() {
        fm.extract(64, &Nothing);
        std::thread::yield_now();
    }
    sender.join().expect("it sends all");
}

#[test]
fn long_messages_land() {
    long_messages_come_to_their_place(WELL);
}

#[test]
fn long_messages_land_over_fabrics_that_lose() {
    long_messages_come_to_their_place(Settings { faults: FAULTY, ..WELL });
}
