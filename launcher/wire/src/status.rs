//! The status line: 128 bytes in which a rank says what it is doing.
//!
//! The rank writes, the launcher reads, nobody waits. Every field is a relaxed atomic of its own: the
//! launcher may see a line half way between two calls, which costs a slightly wrong diagnosis and
//! nothing else. Only `state` orders what was written before it (a code before "aborted").
//!
//! The costs are kept off the fast path: at the entry of a call one 16-bit store ([`StatusLine::enter`]),
//! and only when a wait has become long the communicator, peer, tag and time ([`StatusLine::waiting`]).

use std::sync::atomic::{AtomicI32, AtomicU16, AtomicU32, AtomicU64, Ordering};

use crate::calls;

/// How far a rank's MPI process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// No process of this rank has called `MPI_Init` yet: it may be a shell, or not an MPI program at all.
    Plain,
    Initialised,
    Finalised,
    Aborted,
}

/// Who may be the MPI process of a rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// This process, now or already before.
    Ours,
    /// Another process of this rank came first: an MPI program started by an MPI program, or after one.
    Taken { pid: u32 },
}

/// A rank is waiting, in the call that the line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The communicator's handle as the rank's program sees it.
    pub comm: u32,
    /// World rank waited for, or [`ANY`], or [`NOBODY`] in a collective.
    pub peer: i32,
    /// Tag waited for, or [`ANY`], or [`NOBODY`] in a collective.
    pub tag: i32,
    /// `CLOCK_MONOTONIC` in nanoseconds at the start of the wait.
    pub since_ns: u64,
}

/// `MPI_ANY_SOURCE` or `MPI_ANY_TAG`.
pub const ANY: i32 = -1;
/// No single peer and no tag: a collective operation or several requests at once.
pub const NOBODY: i32 = i32::MIN;

/// One rank's line. A fresh memfd's zeroes are a line nobody has claimed.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub struct StatusLine {
    state: AtomicU32,
    pid: AtomicU32,
    /// Index into [`calls::NAMES`] plus one, so that zero is "none yet".
    call: AtomicU16,
    _unused: AtomicU16,
    abort_code: AtomicI32,
    comm: AtomicU32,
    peer: AtomicI32,
    tag: AtomicI32,
    _unused2: AtomicU32,
    /// Zero when not waiting.
    since_ns: AtomicU64,
    _reserved: [AtomicU64; 11],
}

const _: () = assert!(size_of::<StatusLine>() == StatusLine::SIZE && align_of::<StatusLine>() == StatusLine::SIZE);

/// The rank's side.
impl StatusLine {
    /// Bytes per line: two cache lines, since adjacent ones are fetched in pairs.
    pub const SIZE: usize = 128;

    /// Makes the calling process the MPI process of this rank, unless there already was one.
    pub fn claim(&self, pid: u32) -> Claim {
        match self.pid.compare_exchange(0, pid, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => Claim::Ours,
            Err(other) if other == pid => Claim::Ours,
            Err(other) => Claim::Taken { pid: other },
        }
    }

    /// `MPI_Init` is done: from now on leaving without `MPI_Finalize` fails the job.
    pub fn initialised(&self) {
        self.state.store(1, Ordering::Release);
    }

    /// `MPI_Finalize` is done: from now on the process may leave as it likes.
    pub fn finalised(&self) {
        self.running();
        self.state.store(2, Ordering::Release);
    }

    /// `MPI_Abort`. The caller rings the [`crate::Bell`] next; the launcher then ends the whole job.
    pub fn aborted(&self, code: i32) {
        self.abort_code.store(code, Ordering::Relaxed);
        self.state.store(3, Ordering::Release);
    }

    /// A call begins: an index into [`calls::NAMES`].
    #[inline]
    pub fn enter(&self, call: u16) {
        self.call.store(call.wrapping_add(1), Ordering::Relaxed);
    }

    /// The call has been waiting for a while, and for this.
    pub fn waiting(&self, waiting: Waiting) {
        self.comm.store(waiting.comm, Ordering::Relaxed);
        self.peer.store(waiting.peer, Ordering::Relaxed);
        self.tag.store(waiting.tag, Ordering::Relaxed);
        self.since_ns.store(waiting.since_ns, Ordering::Release);
    }

    /// The wait is over. Only needed after [`StatusLine::waiting`].
    pub fn running(&self) {
        self.since_ns.store(0, Ordering::Relaxed);
    }
}

/// The launcher's side.
impl StatusLine {
    pub fn state(&self) -> State {
        match self.state.load(Ordering::Acquire) {
            1 => State::Initialised,
            2 => State::Finalised,
            3 => State::Aborted,
            _ => State::Plain,
        }
    }

    /// The MPI process of this rank, once it has claimed the line.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::Acquire)).filter(|pid| *pid != 0)
    }

    /// The code given to `MPI_Abort`; of meaning once the state is [`State::Aborted`].
    pub fn abort_code(&self) -> i32 {
        self.abort_code.load(Ordering::Relaxed)
    }

    /// Name of the MPI call entered last.
    pub fn last_call(&self) -> Option<&'static str> {
        calls::name(self.call.load(Ordering::Relaxed).wrapping_sub(1))
    }

    /// What the last call is waiting for, if it is.
    pub fn wait(&self) -> Option<Waiting> {
        let since_ns = self.since_ns.load(Ordering::Acquire);
        (since_ns != 0).then(|| Waiting {
            comm: self.comm.load(Ordering::Relaxed),
            peer: self.peer.load(Ordering::Relaxed),
            tag: self.tag.load(Ordering::Relaxed),
            since_ns,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zeroed() -> StatusLine {
        // SAFETY: every field is an integer atomic, for which zero bytes are a valid value.
        unsafe { std::mem::zeroed() }
    }

    #[test]
    fn fresh_memory_is_an_unclaimed_line() {
        let line = zeroed();
        assert_eq!(line.state(), State::Plain);
        assert_eq!((line.pid(), line.last_call(), line.wait()), (None, None, None));
    }

    #[test]
    fn the_first_process_keeps_its_claim() {
        let line = zeroed();
        assert_eq!(line.claim(10), Claim::Ours);
        assert_eq!(line.claim(11), Claim::Taken { pid: 10 });
        assert_eq!(line.claim(10), Claim::Ours);
        assert_eq!(line.pid(), Some(10));
    }

    #[test]
    fn a_life_from_start_to_end() {
        let line = zeroed();
        line.initialised();
        assert_eq!(line.state(), State::Initialised);
        line.enter(calls::index_of("MPI_Recv").unwrap());
        let wait = Waiting { comm: 0x101, peer: ANY, tag: 5, since_ns: 17 };
        line.waiting(wait);
        assert_eq!((line.last_call(), line.wait()), (Some("MPI_Recv"), Some(wait)));
        line.running();
        assert_eq!(line.wait(), None);
        line.finalised();
        assert_eq!(line.state(), State::Finalised);
        line.aborted(-3);
        assert_eq!((line.state(), line.abort_code()), (State::Aborted, -3));
    }

    #[test]
    fn first_and_last_name_survive_the_shift_by_one() {
        let line = zeroed();
        for index in [0, calls::NAMES.len() - 1] {
            line.enter(index as u16);
            assert_eq!(line.last_call(), Some(calls::NAMES[index]));
        }
        line.enter(calls::NONE);
        assert_eq!(line.last_call(), None);
    }
}
