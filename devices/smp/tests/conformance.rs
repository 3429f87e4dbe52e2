//! FM's conformance tests over shared memory: between threads that each play a process, and between real processes.

use fm::conformance::{Fixture, Program, Step};
use fm::{Fm, Park, Peer, Threading};
use hpvm_smp::{Smp, SmpPark};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;
use std::time::Duration;

/// Long enough for a loaded machine: only a hang takes longer.
const LIMIT: Duration = Duration::from_secs(200);

/// An endpoint over the segment `memory`, with how it waits: on the futex, or on a socket as beside another device.
fn endpoint(memory: BorrowedFd<'_>, me: u32, nodes: u32, cores: usize, on_sockets: bool) -> (Fm, SmpPark) {
    let peers: Vec<Peer> = (0..nodes).map(Peer).collect();
    let smp = Smp::attach(memory, me, &peers, Threading::Single).expect("memory to share");
    let park = if on_sockets { smp.park_beside(cores, Box::new(poll)).expect("a socket") } else { smp.park(cores) };
    (Fm::new(Peer(me), nodes, vec![Arc::new(smp)], |_| 0, Threading::Single, false), park)
}

/// The sleep of a device that never has anything.
fn poll(doorbell: BorrowedFd<'_>, limit: Option<Duration>) {
    let mut polled = libc::pollfd { fd: doorbell.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    let limit = limit.map_or(-1, |limit| limit.as_millis() as libc::c_int);
    // SAFETY: one element, alive through the call.
    unsafe { libc::poll(&raw mut polled, 1, limit) };
}

/// Runs a program to its end, waiting as an MPI process would.
fn drive(program: &mut dyn Program, (fm, park): (Fm, SmpPark)) {
    let mut round = 0;
    loop {
        match program.step(&fm) {
            Step::Done => return,
            Step::Busy => round = 0,
            Step::Idle => {
                park.idle(round, &|| fm.arrived());
                round += 1;
            }
        }
    }
}

/// Each node is a thread; nobody but the segment knows.
struct Threads {
    /// Cores that the nodes believe to share: with fewer than nodes, they sleep early.
    cores: usize,
    on_sockets: bool,
}

impl Fixture for Threads {
    fn run(&self, programs: Vec<Box<dyn Program>>) {
        let memory = Arc::new(Smp::memory().expect("memory to share"));
        let nodes = programs.len() as u32;
        let (done, finished) = mpsc::channel();
        for (me, mut program) in (0..).zip(programs) {
            let (memory, done, cores, on_sockets) = (memory.clone(), done.clone(), self.cores, self.on_sockets);
            std::thread::spawn(move || {
                drive(&mut *program, endpoint(memory.as_fd(), me, nodes, cores, on_sockets));
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
        let memory = Smp::memory().expect("memory to share");
        let nodes = programs.len() as u32;
        let mut children = Vec::new();
        for (me, mut program) in (0..).zip(programs) {
            // SAFETY: the child runs only the program and leaves without returning into the test harness.
            match unsafe { libc::fork() } {
                0 => {
                    // SAFETY: has no preconditions; a child that hangs is killed.
                    unsafe { libc::alarm(LIMIT.as_secs() as u32) };
                    let run = || drive(&mut *program, endpoint(memory.as_fd(), me, nodes, 2, false));
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

fm::conformance_tests!(threads_that_spin, Threads { cores: 64, on_sockets: false });
fm::conformance_tests!(threads_that_sleep, Threads { cores: 1, on_sockets: false });
fm::conformance_tests!(threads_that_sleep_on_sockets, Threads { cores: 1, on_sockets: true });
fm::conformance_tests!(processes, Processes);
