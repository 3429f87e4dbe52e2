//! Ping-pong between two processes of this machine: libfabric by itself, then Fast Messages on it, in turns.
//!
//! `cargo run --release -p hpvm-via --example latency -- PROVIDER [BYTES…]`; `HPVM_LIBFABRIC` names another library than the system's.

use fm::{Fm, HandlerId, Peer, Receive, Threading, Upcall};
use hpvm_via::fabric::abi::{CONTEXT_WORDS, FI_RECV, FI_SEND};
use hpvm_via::fabric::{Library, Moved};
use hpvm_via::{Network, Opened, Via, Wish, provider};
use std::cell::Cell;
use std::io::{Read as _, Write as _};
use std::mem::MaybeUninit;
use std::net::IpAddr;
use std::os::unix::net::UnixStream;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Instant;

const ROUNDS: u32 = 10_000;
const TURNS: usize = 5;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((provider, sizes)) = args.split_first() else { panic!("which provider?") };
    let sizes: Vec<usize> = sizes.iter().map(|size| size.parse().expect("a number of bytes")).collect();
    let sizes = if sizes.is_empty() { vec![8, 64, 512, 4096] } else { sizes };
    for size in sizes {
        let (mut raw, mut fm): (Vec<f64>, Vec<f64>) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            raw.push(between_two(|me, stream| raw_ping_pong(provider, me, stream, size)));
            fm.push(between_two(|me, stream| fm_ping_pong(provider, me, stream, size)));
        }
        let median = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[times.len() / 2]
        };
        let (raw, fm) = (median(&mut raw), median(&mut fm));
        println!("{size:6} bytes: libfabric {raw:.2} us, FM {fm:.2} us ({:+.2} us, {:.2})", fm - raw, fm / raw);
    }
}

/// Runs both sides, each in a process of its own; what the first one says.
fn between_two(side: impl Fn(u32, &mut UnixStream) -> f64) -> f64 {
    let (mut one, mut other) = UnixStream::pair().expect("sockets");
    // SAFETY: nobody has opened libfabric in this process; the child leaves without returning.
    let child = unsafe { libc::fork() };
    if child == 0 {
        pin(1);
        let time = side(1, &mut other);
        other.write_all(&time.to_ne_bytes()).expect("the parent reads");
        // SAFETY: leaves without running exit handlers of the parent.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: as above.
    let second = unsafe { libc::fork() };
    if second == 0 {
        pin(0);
        let time = side(0, &mut one);
        one.read_exact(&mut [0; 8]).expect("the other ends, too");
        one.write_all(&time.to_ne_bytes()).expect("the parent reads");
        // SAFETY: as above.
        unsafe { libc::_exit(0) };
    }
    for process in [child, second] {
        // SAFETY: our own children.
        unsafe { libc::waitpid(process, std::ptr::null_mut(), 0) };
    }
    let mut time = [0; 8];
    other.read_exact(&mut time).expect("the first has said its time");
    f64::from_ne_bytes(time)
}

/// To a core of its own, where there are two.
fn pin(core: usize) {
    // SAFETY: a set of cores of ours, and its size.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
    }
}

fn open(provider: &str) -> Opened {
    let library = Library::load(std::env::var_os("HPVM_LIBFABRIC").as_deref()).expect("libfabric");
    let address = Some(IpAddr::from([127, 0, 0, 1]));
    provider::open(library, Wish { provider: Some(provider), address, one_machine: true, peers: 2, sleeps: true }).expect("a provider")
}

/// The addresses of both.
fn exchange(me: u32, name: &[u8], stream: &mut UnixStream) -> Box<[Box<[u8]>]> {
    let mut line = [0u8; 512];
    line[..8].copy_from_slice(&name.len().to_ne_bytes());
    line[8..][..name.len()].copy_from_slice(name);
    stream.write_all(&line).expect("the other reads");
    stream.read_exact(&mut line).expect("the other writes");
    let len = usize::from_ne_bytes(line[..8].try_into().expect("8 bytes"));
    let mut names: [Box<[u8]>; 2] = [name.into(), line[8..][..len].into()];
    names.rotate_left(me as usize);
    Box::new(names)
}

/// Microseconds one way.
fn timed(mut round: impl FnMut(u32)) -> f64 {
    (0..ROUNDS / 10).for_each(&mut round);
    let start = Instant::now();
    (0..ROUNDS).for_each(&mut round);
    start.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS) / 2.0
}

fn raw_ping_pong(provider: &str, me: u32, stream: &mut UnixStream, size: usize) -> f64 {
    let mut nic = provider::into_nic(open(provider));
    let names = exchange(me, nic.name(), stream);
    let to = nic.insert(&names[1 - me as usize]).expect("an address");
    let mut contexts = [[0usize; CONTEXT_WORDS]; 2];
    let [receiving, sending] = contexts.each_mut().map(|words| words.as_mut_ptr().cast());
    let mut memory = vec![0u8; 2 * size];
    let start = NonNull::from(&mut memory[..]).cast::<u8>();
    // SAFETY: the endpoint is shut, and the registration gone, before the memory is.
    let registration = unsafe { nic.register(start, 2 * size, FI_SEND | FI_RECV, false).expect("memory") };
    let short = size <= nic.queues().inject_max.min(512);
    let bytes = vec![1u8; size];
    let (mut sent, mut received) = (0u32, 0u32);
    // SAFETY: each half has one operation at a time.
    unsafe { assert_eq!(nic.receive(start, size, &registration, receiving), Moved::Done) };
    let time = timed(|_| {
        for turn in 0..2 {
            if turn == me {
                loop {
                    let moved = if short {
                        nic.inject(&bytes, to)
                    } else {
                        // SAFETY: as above.
                        unsafe { nic.send(start.add(size), size, &registration, to, sending) }
                    };
                    if moved == Moved::Done {
                        break;
                    }
                    assert_eq!(moved, Moved::Later);
                    nic.completions(&mut [MaybeUninit::uninit(); 4]).unwrap_or_else(|failed| panic!("{}", failed.what));
                }
                sent += 1;
            } else {
                let before = received;
                while received == before {
                    let mut room = [MaybeUninit::uninit(); 4];
                    let entries = nic.completions(&mut room).unwrap_or_else(|failed| panic!("{}", failed.what));
                    received += entries.iter().filter(|entry| entry.context == receiving).count() as u32;
                }
                // SAFETY: as above.
                unsafe { assert_eq!(nic.receive(start, size, &registration, receiving), Moved::Done) };
            }
        }
    });
    assert_eq!(sent, received);
    nic.shut();
    drop(registration);
    time
}

struct Counting(Cell<u32>);

impl Upcall for Counting {
    fn message(&self, _: Peer, _: HandlerId, _: &[u8]) {
        self.0.set(self.0.get() + 1);
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        panic!("nothing is that long")
    }
}

fn fm_ping_pong(provider: &str, me: u32, stream: &mut UnixStream, size: usize) -> f64 {
    let opened = open(provider);
    let names = exchange(me, opened.name(), stream);
    let tell = Box::new(|_: Peer, what: &str| panic!("{what}"));
    let via = Via::new(opened, Network { me: Peer(me), tag: 1, names, look_every: 1, tell }, Threading::Single).expect("the other");
    let fm = Fm::new(Peer(me), 2, vec![Arc::new(via)], |_| 0, Threading::Single, false);
    let counting = Counting(Cell::new(0));
    let time = timed(|_| {
        for turn in 0..2 {
            if turn == me {
                while !fm.try_send(Peer(1 - me), HandlerId(0), size, |room| room.fill(1)) {
                    fm.extract(4, &counting);
                }
            } else {
                let before = counting.0.get();
                while counting.0.get() == before {
                    fm.extract(4, &counting);
                }
            }
        }
    });
    while !fm.close() {
        fm.extract(4, &counting);
    }
    time
}
