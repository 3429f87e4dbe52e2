//! The process around the engine: clock, status line, the way out.

use crate::line::Line;
use hpvm_wire::waiting::{self as shown, ANY, CommName, NOBODY};
use hpvm_wire::{Bell, calls};
use mpi_fm::host::Host;
use mpi_fm::waiting::{NAME_MAX, Waiting, What, Whom};
use std::sync::Arc;

/// A process of a real machine.
pub struct Machine {
    line: Arc<Line>,
    /// Wakes the launcher, if there is one.
    bell: Option<Bell>,
    node: u32,
}

impl Machine {
    /// On the job's node of that number.
    pub fn new(line: Arc<Line>, bell: Option<Bell>, node: u32) -> Machine {
        Machine { line, bell, node }
    }

    /// This process is a rank from now on. The launcher is told at once: it may be the child of a shell's child, and then
    /// nobody but a launcher that watches it notices its death.
    pub fn initialised(&self) {
        self.line.initialised();
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}

/// `CLOCK_MONOTONIC`, which all processes of a machine share.
fn now() -> libc::timespec {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now
}

/// Seconds on the machine's clock.
pub fn seconds() -> f64 {
    let now = now();
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// Nanoseconds on the machine's clock.
pub fn nanoseconds() -> u64 {
    let now = now();
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The clock's resolution in seconds.
pub fn resolution() -> f64 {
    let mut step = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `step` is writable; this clock always exists.
    unsafe { libc::clock_getres(libc::CLOCK_MONOTONIC, &mut step) };
    step.tv_sec as f64 + step.tv_nsec as f64 * 1e-9
}

impl Host for Machine {
    fn wtime(&self) -> f64 {
        seconds()
    }

    fn waits(&self, waiting: &Waiting) {
        self.line.waiting(&as_shown(waiting), nanoseconds());
    }

    fn goes_on(&self) {
        self.line.running();
    }

    fn is_waiting(&self) -> bool {
        self.line.is_waiting()
    }

    fn asks(&self, waiting: &Waiting, times: u32, moved: bool) {
        self.line.asking(&as_shown(waiting), times, moved, nanoseconds());
    }

    fn has_asked(&self) {
        self.line.asked();
    }

    fn abort(&self, code: i32) -> ! {
        self.line.aborted(code);
        if let Some(bell) = &self.bell {
            bell.ring();
        }
        // What the program has printed is part of the explanation. The launcher ends this process if it hangs here.
        // SAFETY: no condition.
        unsafe { libc::fflush(std::ptr::null_mut()) };
        if let Some(manager) = self.line.manager() {
            manager.abort(code);
        }
        // Not `exit`: other threads may be anywhere, and what was registered with `atexit` must not meet them.
        // SAFETY: no condition.
        unsafe { libc::_exit(code) }
    }

    fn node(&self) -> u64 {
        self.node.into()
    }

    fn processor_name(&self) -> String {
        node_name()
    }
}

/// What the engine says that it waits for, as the status line shows it.
pub fn as_shown(waiting: &Waiting) -> shown::Waiting {
    const { assert!(CommName::SIZE == NAME_MAX) };
    let (peer, world) = match waiting.whom {
        Whom::Unknown => (NOBODY, NOBODY),
        Whom::Any => (ANY, ANY),
        Whom::Rank(rank, peer) => (rank as i32, peer.0 as i32),
    };
    let comm = waiting.comm.as_ref();
    shown::Waiting {
        what: match waiting.what {
            What::Other => shown::What::Other,
            What::Receive => shown::What::Receive,
            What::Send => shown::What::Send,
            What::Collective => shown::What::Collective,
        },
        any: waiting.any,
        inter: comm.is_some_and(|comm| comm.inter),
        others: waiting.others.min(u16::MAX.into()) as u16,
        comm: comm.map_or(0, |comm| comm.handle),
        comm_id: comm.map_or([0; 2], |comm| [comm.id.leader.0, comm.id.count]),
        comm_name: CommName(comm.map_or([0; NAME_MAX], |comm| comm.text)),
        peer,
        world,
        tag: waiting.tag.unwrap_or(ANY),
        operation: waiting.operation.and_then(calls::index_of),
    }
}

/// The name of this machine.
pub fn node_name() -> String {
    let mut name = [0u8; 256];
    // SAFETY: the length is that of the buffer, less one so that the end is a NUL.
    let failed = unsafe { libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1) } != 0;
    let length = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    if failed || length == 0 { "localhost".into() } else { String::from_utf8_lossy(&name[..length]).into_owned() }
}
