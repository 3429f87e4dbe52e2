//! FM's conformance tests between processes of this machine, over the providers of libfabric that need no special hardware.
//!
//! `HPVM_LIBFABRIC` names another library than the system's.

use fm::conformance::{Fixture, Program, Step};
use fm::{Fm, Peer, Threading};
use hpvm_via::fabric::Library;
use hpvm_via::{Network, Via, Wish, provider};
use std::net::IpAddr;
use std::os::fd::AsRawFd as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Acquire, Ordering::Release};
use std::time::Duration;

/// Long enough for a loaded machine: only a hang takes longer.
const LIMIT: Duration = Duration::from_secs(500);

/// A process found no library.
const SKIPPED: i32 = 77;

/// Memory of all processes of a test.
fn shared<T>() -> &'static T {
    // SAFETY: new anonymous memory that lives as long as the test process; all zero is valid for what is asked for here.
    unsafe {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let page = libc::mmap(std::ptr::null_mut(), size_of::<T>(), libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0);
        assert_ne!(page, libc::MAP_FAILED);
        &*page.cast()
    }
}

/// Where the processes of a test are.
#[repr(C)]
struct Table {
    /// How many have written their line.
    written: AtomicU32,
    lines: [[AtomicU32; LINE]; NODES_MAX],
}

const NODES_MAX: usize = 8;
/// A length in bytes, and so many bytes, one a word.
const LINE: usize = 1 + 300;

impl Table {
    /// Tells our address, and waits for those of the others.
    fn exchange(&self, me: usize, nodes: usize, name: &[u8]) -> Box<[Box<[u8]>]> {
        self.lines[me][0].store(name.len() as u32, Release);
        self.lines[me][1..].iter().zip(name).for_each(|(to, &byte)| to.store(byte.into(), Release));
        self.written.fetch_add(1, Release);
        while (self.written.load(Acquire) as usize) < nodes {
            std::thread::sleep(Duration::from_millis(1));
        }
        let name = |line: &[AtomicU32; LINE]| {
            let len = line[0].load(Acquire) as usize;
            line[1..][..len].iter().map(|byte| byte.load(Acquire) as u8).collect()
        };
        self.lines[..nodes].iter().map(name).collect()
    }
}

/// Each node is a process, in which nobody has opened libfabric before: it does not like forks.
struct Processes {
    provider: &'static str,
    /// After so many fruitless polls a process sleeps.
    patience: u32,
}

impl Processes {
    fn endpoint(&self, library: &'static Library, me: u32, nodes: usize, table: &Table) -> (Fm, Arc<Via>) {
        let (provider, address) = (Some(self.provider), Some(IpAddr::from([127, 0, 0, 1])));
        let wish = Wish { provider, address, one_machine: true, peers: nodes, sleeps: true };
        let opened = provider::open(library, wish).expect("the provider works");
        let names = table.exchange(me as usize, nodes, opened.name());
        let tell = Box::new(move |peer: Peer, what: &str| panic!("{me} has lost {}: {what}", peer.0));
        let via = Via::new(opened, Network { me: Peer(me), tag: 4711, names, look_every: 1, tell }, Threading::Single).expect("the others");
        let files = std::fs::read_dir("/dev/shm").expect("a folder").map(|file| file.expect("a file").file_name());
        let ours = format!("{}:", std::process::id());
        assert!(!files.into_iter().any(|file| file.to_string_lossy().starts_with(&ours)), "a file would stay behind");
        let via = Arc::new(via);
        (Fm::new(Peer(me), nodes as u32, vec![via.clone()], |_| 0, Threading::Single, false), via)
    }

    /// Runs a program to its end, and leaves when everything is on its way.
    fn drive(&self, program: &mut dyn Program, (fm, via): (Fm, Arc<Via>)) {
        let mut round = 0;
        loop {
            match program.step(&fm) {
                Step::Done => break,
                Step::Busy => round = 0,
                Step::Idle if round < self.patience => round += 1,
                Step::Idle => sleep(&fm, &via),
            }
            if round > 100 {
                std::thread::yield_now();
            }
        }
        while !fm.close() {
            fm.extract(64, &Nothing);
            std::thread::yield_now();
        }
    }
}

/// Programs also wait for a flag, which nothing rings for.
const FLAG: Duration = Duration::from_millis(5);

/// Sleeps until there is something.
fn sleep(fm: &Fm, via: &Via) {
    if fm.arrived() {
        return;
    }
    let limit = via.limit().unwrap_or(FLAG);
    let mut polled = libc::pollfd { fd: via.descriptor().as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = libc::timespec { tv_sec: limit.as_secs() as libc::time_t, tv_nsec: limit.subsec_nanos().into() };
    // SAFETY: one descriptor that is open, and a time.
    unsafe { libc::ppoll(&raw mut polled, 1, &raw const limit, std::ptr::null()) };
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

impl Fixture for Processes {
    fn run(&self, programs: Vec<Box<dyn Program>>) {
        let (nodes, table) = (programs.len(), shared::<Table>());
        assert!(nodes <= NODES_MAX);
        let mut children = Vec::new();
        for (me, mut program) in (0..).zip(programs) {
            // SAFETY: the child runs only the program and leaves without returning into the test harness.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: has no preconditions; a child that hangs is killed.
                    unsafe { libc::alarm(LIMIT.as_secs() as u32) };
                    let run = || match Library::load(std::env::var_os("HPVM_LIBFABRIC").as_deref()) {
                        Ok(library) => {
                            self.drive(&mut *program, self.endpoint(library, me, nodes, table));
                            0
                        }
                        Err(_) => SKIPPED,
                    };
                    let status = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).unwrap_or(1);
                    // SAFETY: leaves without running the harness's exit handlers.
                    unsafe { libc::_exit(status) };
                }
                child => {
                    assert!(child > 0, "fork: {}", std::io::Error::last_os_error());
                    children.push(child);
                }
            }
        }
        for (node, child) in children.into_iter().enumerate() {
            let mut status = 0;
            // SAFETY: waits for our own child, with a place for its status.
            assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
            if libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == SKIPPED {
                eprintln!("skipped: libfabric is not installed (libfabric1)");
            } else {
                assert_eq!(status, 0, "node {node} failed");
            }
        }
    }

    fn flag(&self) -> &'static AtomicBool {
        shared()
    }
}

fm::conformance_tests!(shm, Processes { provider: "shm", patience: 50 });
fm::conformance_tests!(tcp, Processes { provider: "tcp;ofi_rxm", patience: 20 });
