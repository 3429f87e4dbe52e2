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
pub use crate::waiting::{ANY, CommName, NOBODY, Waiting, What};

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

/// A wait that a line shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub waiting: Waiting,
    /// `CLOCK_MONOTONIC` in nanoseconds at its start.
    pub since_ns: u64,
    /// When something last came while it waits: its start, if nothing has.
    pub moved_ns: u64,
}

/// Calls of a rank that only ask, again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asking {
    pub waiting: Waiting,
    /// `MPI_Test`
    pub call: Option<&'static str>,
    /// Grows by a thousand or so at a time, and wraps.
    pub times: u32,
    /// Since when no call has got anything done.
    pub since_ns: u64,
}

/// A rank that asks all the time says so several times a second.
const ASKED_LATELY_NS: u64 = 2_000_000_000;

/// One rank's line. A fresh memfd's zeroes are a line nobody has claimed.
#[repr(C, align(128))]
#[derive(Debug, Default)]
pub struct StatusLine {
    state: AtomicU32,
    pid: AtomicU32,
    /// Index into [`calls::NAMES`] plus one, so that zero is "none yet".
    call: AtomicU16,
    /// The same of the call that asks.
    asked_call: AtomicU16,
    abort_code: AtomicI32,
    /// Zero when not waiting.
    since_ns: AtomicU64,
    moved_ns: AtomicU64,
    /// A [`Waiting`].
    waiting: [AtomicU32; Waiting::WORDS],
    /// A [`Process`]: written by who looks after the rank.
    process: AtomicU32,
    /// How often in a row a call that only asks has done so in vain; zero when it is not known to.
    asked_times: AtomicU32,
    asked_since_ns: AtomicU64,
    asked_last_ns: AtomicU64,
    _reserved: AtomicU64,
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

    /// The call has been waiting for a while, and for this; again when something has come and it still waits.
    pub fn waiting(&self, waiting: &Waiting, now_ns: u64) {
        for (to, word) in self.waiting.iter().zip(waiting.to_words()) {
            to.store(word, Ordering::Relaxed);
        }
        self.moved_ns.store(now_ns, Ordering::Relaxed);
        self.asked_times.store(0, Ordering::Relaxed);
        if self.since_ns.load(Ordering::Relaxed) == 0 {
            self.since_ns.store(now_ns, Ordering::Release);
        }
    }

    /// The wait is over. Only needed after [`StatusLine::waiting`].
    pub fn running(&self) {
        self.since_ns.store(0, Ordering::Relaxed);
    }

    /// The call has asked for this in vain so often in a row. `moved`: other calls have got something done since this was said last.
    pub fn asking(&self, waiting: &Waiting, times: u32, moved: bool, now_ns: u64) {
        if self.is_waiting() {
            // Another thread's.
            return;
        }
        for (to, word) in self.waiting.iter().zip(waiting.to_words()) {
            to.store(word, Ordering::Relaxed);
        }
        if moved || self.asked_times.load(Ordering::Relaxed) == 0 {
            self.asked_since_ns.store(now_ns, Ordering::Relaxed);
        }
        self.asked_last_ns.store(now_ns, Ordering::Relaxed);
        self.asked_call.store(self.call.load(Ordering::Relaxed), Ordering::Relaxed);
        self.asked_times.store(times.max(1), Ordering::Release);
    }

    /// It has not asked in vain. Only needed after [`StatusLine::asking`].
    pub fn asked(&self) {
        self.asked_times.store(0, Ordering::Relaxed);
    }

    /// Whether the line shows a wait.
    pub fn is_waiting(&self) -> bool {
        self.since_ns.load(Ordering::Relaxed) != 0
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
    pub fn wait(&self) -> Option<Wait> {
        let since_ns = self.since_ns.load(Ordering::Acquire);
        let words = self.waiting.each_ref().map(|word| word.load(Ordering::Relaxed));
        let moved_ns = self.moved_ns.load(Ordering::Relaxed);
        (since_ns != 0).then(|| Wait { waiting: Waiting::from_words(&words), since_ns, moved_ns: moved_ns.max(since_ns) })
    }

    /// What the rank asks for again and again, if it has done so in vain of late.
    pub fn asks(&self, now_ns: u64) -> Option<Asking> {
        let times = self.asked_times.load(Ordering::Acquire);
        let (since_ns, last_ns) = (self.asked_since_ns.load(Ordering::Relaxed), self.asked_last_ns.load(Ordering::Relaxed));
        let is_late = now_ns.saturating_sub(last_ns) > ASKED_LATELY_NS;
        let words = self.waiting.each_ref().map(|word| word.load(Ordering::Relaxed));
        (times != 0 && !is_late && !self.is_waiting()).then(|| Asking {
            waiting: Waiting::from_words(&words),
            call: calls::name(self.asked_call.load(Ordering::Relaxed).wrapping_sub(1)),
            times,
            since_ns,
        })
    }

    /// Notes how the system sees the MPI process, which only its own machine can be asked.
    pub fn see(&self, process: Option<Process>) {
        self.process.store(process.map_or(0, Process::to_word), Ordering::Relaxed);
    }

    /// The MPI process as the system saw it when it was last asked.
    pub fn process(&self) -> Option<Process> {
        Process::from_word(self.process.load(Ordering::Relaxed))
    }
}

/// The MPI process of a rank as the system sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// `R`, `S`, `T` and so on, as in `/proc/PID/stat`.
    pub state: u8,
    /// Time on processors in hundredths of a second, modulo 2^24.
    pub busy: u32,
}

impl Process {
    pub const BUSY_MASK: u32 = 0xff_ffff;

    pub fn to_word(self) -> u32 {
        u32::from(self.state) | self.busy << 8
    }

    fn from_word(word: u32) -> Option<Self> {
        (word != 0).then_some(Self { state: word as u8, busy: word >> 8 })
    }

    /// Hundredths of a second on processors since then.
    pub fn busy_since(self, then: Self) -> u32 {
        self.busy.wrapping_sub(then.busy) & Self::BUSY_MASK
    }
}

/// What a line says at one moment, to be shown on the board of another machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub state: u32,
    pub pid: u32,
    pub call: u16,
    pub abort_code: i32,
    pub since_ns: u64,
    pub moved_ns: u64,
    pub waiting: [u32; Waiting::WORDS],
    pub asked_call: u16,
    pub asked_times: u32,
    pub asked_since_ns: u64,
    pub asked_last_ns: u64,
    /// Zero, unless who looks after the rank has asked the system.
    pub process: u32,
}

impl Snapshot {
    pub const WORDS: usize = 15 + Waiting::WORDS;

    /// As it travels.
    pub fn to_words(self) -> [u32; Self::WORDS] {
        let head = [self.state, self.pid, self.call.into(), self.abort_code as u32, self.process, self.asked_call.into(), self.asked_times];
        let times = [self.since_ns, self.moved_ns, self.asked_since_ns, self.asked_last_ns];
        let halves = times.iter().flat_map(|time| [*time as u32, (time >> 32) as u32]);
        let mut words = [0; Self::WORDS];
        for (to, word) in words.iter_mut().zip(head.into_iter().chain(halves).chain(self.waiting)) {
            *to = word;
        }
        words
    }

    pub fn from_words(words: [u32; Self::WORDS]) -> Self {
        let [state, pid, call, abort_code, process, asked_call, asked_times, rest @ ..] = words;
        let (times, waiting) = rest.split_at(8);
        let time = |at: usize| u64::from(times[2 * at]) | u64::from(times[2 * at + 1]) << 32;
        Self {
            state,
            pid,
            call: call as u16,
            abort_code: abort_code as i32,
            since_ns: time(0),
            moved_ns: time(1),
            waiting: std::array::from_fn(|at| waiting[at]),
            asked_call: asked_call as u16,
            asked_times,
            asked_since_ns: time(2),
            asked_last_ns: time(3),
            process,
        }
    }

    /// With the start of a wait as the time since, and back: clocks of two machines have nothing in common.
    pub fn turn_clock(self, now_ns: u64) -> Self {
        let turned = |at: u64| if at == 0 { 0 } else { now_ns.saturating_sub(at).max(1) };
        Self {
            since_ns: turned(self.since_ns),
            moved_ns: turned(self.moved_ns),
            asked_since_ns: turned(self.asked_since_ns),
            asked_last_ns: turned(self.asked_last_ns),
            ..self
        }
    }
}

impl StatusLine {
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            state: self.state.load(Ordering::Acquire),
            pid: self.pid.load(Ordering::Acquire),
            call: self.call.load(Ordering::Relaxed),
            abort_code: self.abort_code.load(Ordering::Relaxed),
            since_ns: self.since_ns.load(Ordering::Acquire),
            moved_ns: self.moved_ns.load(Ordering::Relaxed),
            waiting: self.waiting.each_ref().map(|word| word.load(Ordering::Relaxed)),
            asked_call: self.asked_call.load(Ordering::Relaxed),
            asked_times: self.asked_times.load(Ordering::Relaxed),
            asked_since_ns: self.asked_since_ns.load(Ordering::Relaxed),
            asked_last_ns: self.asked_last_ns.load(Ordering::Relaxed),
            process: self.process.load(Ordering::Relaxed),
        }
    }

    /// Says the same as the line that the snapshot was taken of.
    pub fn show(&self, snapshot: &Snapshot) {
        self.abort_code.store(snapshot.abort_code, Ordering::Relaxed);
        self.call.store(snapshot.call, Ordering::Relaxed);
        for (to, word) in self.waiting.iter().zip(snapshot.waiting) {
            to.store(word, Ordering::Relaxed);
        }
        self.process.store(snapshot.process, Ordering::Relaxed);
        self.asked_call.store(snapshot.asked_call, Ordering::Relaxed);
        self.asked_since_ns.store(snapshot.asked_since_ns, Ordering::Relaxed);
        self.asked_last_ns.store(snapshot.asked_last_ns, Ordering::Relaxed);
        self.asked_times.store(snapshot.asked_times, Ordering::Release);
        self.moved_ns.store(snapshot.moved_ns, Ordering::Relaxed);
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
        let waiting = Waiting { comm: 0x101, peer: ANY, tag: 5, ..Waiting::default() };
        line.waiting(&waiting, 17);
        assert_eq!((line.last_call(), line.wait()), (Some("MPI_Recv"), Some(Wait { waiting, since_ns: 17, moved_ns: 17 })));
        let waiting = Waiting { peer: 2, ..waiting };
        line.waiting(&waiting, 20);
        assert_eq!(line.wait(), Some(Wait { waiting, since_ns: 17, moved_ns: 20 }));
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
        let waiting = Waiting { comm: 9, peer: -1, tag: -2, what: What::Send, ..Waiting::default() };
        there.waiting(&waiting, 5 << 40);
        there.waiting(&waiting, (5 << 40) + 400);
        let process = Process { state: b'T', busy: Process::BUSY_MASK };
        let travelling = Snapshot { process: process.to_word(), ..there.snapshot() }.turn_clock((5 << 40) + 1000);
        let arrived = Snapshot::from_words(travelling.to_words()).turn_clock(50_000);
        here.show(&arrived);
        assert_eq!(here.wait(), Some(Wait { waiting, since_ns: 49_000, moved_ns: 49_400 }));
        assert_eq!((here.process(), there.process()), (Some(process), None));
        assert_eq!(Process { state: b'R', busy: 4 }.busy_since(process), 5);
        assert_eq!((here.state(), here.pid(), here.last_call()), (there.state(), there.pid(), there.last_call()));
        assert_eq!(Snapshot::default().turn_clock(7), Snapshot::default());
    }

    #[test]
    fn asking_is_shown_while_it_is_in_vain() {
        let (line, elsewhere) = (zeroed(), zeroed());
        line.enter(calls::index_of("MPI_Test").unwrap());
        let waiting = Waiting { comm: 9, peer: 1, tag: 2, what: What::Receive, ..Waiting::default() };
        let asks = |line: &StatusLine, now| line.asks(now).map(|asking| (asking.since_ns, asking.times, asking.call));
        line.asking(&waiting, 1024, true, 1_000);
        line.asking(&waiting, 2048, false, 2_000);
        assert_eq!(asks(&line, 3_000), Some((1_000, 2048, Some("MPI_Test"))));
        line.asking(&waiting, 3072, true, 4_000);
        line.enter(calls::index_of("MPI_Wtime").unwrap());
        assert_eq!(asks(&line, 3_000), Some((4_000, 3072, Some("MPI_Test"))), "something was done in between");
        elsewhere.show(&Snapshot::from_words(line.snapshot().turn_clock(10_000).to_words()).turn_clock(60_000));
        assert_eq!(asks(&elsewhere, 70_000), Some((54_000, 3072, Some("MPI_Test"))));
        assert_eq!(asks(&line, 4_000 + 2 * ASKED_LATELY_NS), None, "it does something else by now");
        line.waiting(&waiting, 5_000);
        line.running();
        assert_eq!(asks(&line, 5_000), None);
        line.asking(&waiting, 1024, false, 6_000);
        line.asked();
        assert_eq!(asks(&line, 6_000), None);
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
