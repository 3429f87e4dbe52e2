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

/// What a line says at one moment, to be shown on the board of another machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub state: u32,
    pub pid: u32,
    pub call: u16,
    pub abort_code: i32,
    pub comm: u32,
    pub peer: i32,
    pub tag: i32,
    pub since_ns: u64,
}

impl Snapshot {
    /// As it travels.
    pub fn to_words(self) -> [u32; 9] {
        let Self { state, pid, call, abort_code, comm, peer, tag, since_ns } = self;
        [state, pid, call.into(), abort_code as u32, comm, peer as u32, tag as u32, since_ns as u32, (since_ns >> 32) as u32]
    }

    pub fn from_words([state, pid, call, abort_code, comm, peer, tag, low, high]: [u32; 9]) -> Self {
        Self {
            state,
            pid,
            call: call as u16,
            abort_code: abort_code as i32,
            comm,
            peer: peer as i32,
            tag: tag as i32,
            since_ns: u64::from(low) | u64::from(high) << 32,
        }
    }

    /// With the start of a wait as the time since, and back: clocks of two machines have nothing in common.
    pub fn turn_clock(self, now_ns: u64) -> Self {
        let since_ns = if self.since_ns == 0 { 0 } else { now_ns.saturating_sub(self.since_ns).max(1) };
        Self { since_ns, ..self }
    }
}

impl StatusLine {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state.load(Ordering::Acquire),
            pid: self.pid.load(Ordering::Acquire),
            call: self.call.load(Ordering::Relaxed),
            abort_code: self.abort_code.load(Ordering::Relaxed),
            comm: self.comm.load(Ordering::Relaxed),
            peer: self.peer.load(Ordering::Relaxed),
            tag: self.tag.load(Ordering::Relaxed),
            since_ns: self.since_ns.load(Ordering::Acquire),
        }
    }

    /// Says the same as the line that the snapshot was taken of.
    pub fn show(&self, snapshot: &Snapshot) {
        self.abort_code.store(snapshot.abort_code, Ordering::Relaxed);
        self.call.store(snapshot.call, Ordering::Relaxed);
        self.comm.store(snapshot.comm, Ordering::Relaxed);
        self.peer.store(snapshot.peer, Ordering::Relaxed);
        self.tag.store(snapshot.tag, Ordering::Relaxed);
        self.since_ns.store(snapshot.since_ns, Ordering::Release);
        self.pid.store(snapshot.pid, Ordering::Release);
        self.state.store(snapshot.state, Ordering::Release);
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
    fn a_line_is_shown_elsewhere() {
        let (there, here) = (zeroed(), zeroed());
        there.claim(77);
        there.initialised();
        there.enter(3);
        there.waiting(Waiting { comm: 9, peer: -1, tag: -2, since_ns: 5 << 40 });
        let travelling = there.snapshot().turn_clock((5 << 40) + 1000);
        let arrived = Snapshot::from_words(travelling.to_words()).turn_clock(50_000);
        here.show(&arrived);
        assert_eq!(here.wait(), Some(Waiting { comm: 9, peer: -1, tag: -2, since_ns: 49_000 }));
        assert_eq!((here.state(), here.pid(), here.last_call()), (there.state(), there.pid(), there.last_call()));
        assert_eq!(Snapshot::default().turn_clock(7), Snapshot::default());
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
