//! FM's conformance tests over TCP on this machine: between threads that each play a process, and between real processes.

use fm::conformance::{Fixture, Program, Step};
use fm::{Fm, Park, Peer, Threading};
use hpvm_ip::{Ip, IpPark, Key, Network};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

/// Long enough for a loaded machine: only a hang takes longer.
const LIMIT: Duration = Duration::from_secs(200);

const KEY: Key = Key([0x5a; 32]);

/// The listening sockets of so many processes, and where they are.
fn listen(nodes: usize) -> (Vec<TcpListener>, Box<[SocketAddr]>) {
    let listeners: Vec<_> = (0..nodes).map(|_| TcpListener::bind("127.0.0.1:0").expect("a port")).collect();
    let addresses = listeners.iter().map(|listener| listener.local_addr().expect("an address")).collect();
    (listeners, addresses)
}

/// An endpoint, with how it waits.
fn endpoint(me: u32, listener: TcpListener, addresses: Box<[SocketAddr]>, settings: Settings) -> (Fm, IpPark) {
    let nodes = addresses.len();
    let tell = Box::new(|peer: Peer, what: &str| panic!("lost {}: {what}", peer.0));
    let log = Box::new(|what: &str| panic!("{what}"));
    let Settings { look_every, encrypt, .. } = settings;
    let network = Network { me: Peer(me), key: KEY, encrypt, addresses, listener, look_every, tell, log };
    let ip = Ip::new(network).expect("a network");
    let park = ip.park(nodes, settings.cores).expect("a way to wait");
    (Fm::new(Peer(me), nodes as u32, vec![Arc::new(ip)], |_| 0, Threading::Single, false), park)
}

#[derive(Clone, Copy)]
struct Settings {
    /// Cores that the nodes believe to share: with fewer than nodes, they sleep early.
    cores: usize,
    look_every: u32,
    encrypt: bool,
}

/// Runs a program to its end, waiting as an MPI process would, and leaves when everything is on its way.
fn drive(program: &mut dyn Program, (fm, park): (Fm, IpPark)) {
    let mut round = 0;
    loop {
        match program.step(&fm) {
            Step::Done => break,
            Step::Busy => round = 0,
            Step::Idle => {
                park.idle(round, &|| fm.arrived());
                round += 1;
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
        let (listeners, addresses) = listen(programs.len());
        let (done, finished) = mpsc::channel();
        let nodes = programs.len();
        for ((me, mut program), listener) in (0..).zip(programs).zip(listeners) {
            let (addresses, done, settings) = (addresses.clone(), done.clone(), self.0);
            std::thread::spawn(move || {
                drive(&mut *program, endpoint(me, listener, addresses, settings));
                done.send(()).expect("the test waits for all nodes");
            });
        }
        drop(done);
        for _ in 0..nodes {
            finished.recv_timeout(LIMIT).expect("a node failed or hangs");
        }
    }
}

/// Each node is a process.
struct Processes;

impl Fixture for Processes {
    fn run(&self, programs: Vec<Box<dyn Program>>) {
        let (mut listeners, addresses) = listen(programs.len());
        let mut children = Vec::new();
        for (me, mut program) in (0..).zip(programs) {
            // SAFETY: the child runs only the program and leaves without returning into the test harness.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: has no preconditions; a child that hangs is killed.
                    unsafe { libc::alarm(LIMIT.as_secs() as u32) };
                    let settings = Settings { cores: 2, ..SPINNING };
                    let listener = listeners.swap_remove(me as usize);
                    drop(listeners);
                    let run = || drive(&mut *program, endpoint(me, listener, addresses.clone(), settings));
                    let failed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err();
                    // SAFETY: leaves without running the harness's exit handlers.
                    unsafe { libc::_exit(i32::from(failed)) };
                }
                child => {
                    assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
                    children.push(child);
                }
            }
        }
        drop(listeners);
        for (node, child) in children.into_iter().enumerate() {
            let mut status = 0;
            // SAFETY: waits for our own child, with a place for its status.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            assert_eq!(status, 0, "node {node} failed");
        }
    }

    fn flag(&self) -> &'static AtomicBool {
        // SAFETY: new anonymous memory that lives as long as the test process; a zero byte is a valid flag.
        unsafe {
            let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
            let page = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
            assert_ne!(page, libc::MAP_FAILED);
            &*page.cast()
        }
    }
}

const SPINNING: Settings = Settings { cores: 64, look_every: 1, encrypt: false };

fm::conformance_tests!(threads_that_spin, Threads(SPINNING));
fm::conformance_tests!(threads_that_sleep, Threads(Settings { cores: 1, ..SPINNING }));
fm::conformance_tests!(threads_that_look_seldom, Threads(Settings { cores: 1, look_every: 8, ..SPINNING }));
fm::conformance_tests!(threads_that_encrypt, Threads(Settings { encrypt: true, ..SPINNING }));
fm::conformance_tests!(processes, Processes);
