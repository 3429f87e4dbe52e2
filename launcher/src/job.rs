//! A running job, seen from hpvmrun: one thread, one loop, nothing in it that blocks but `poll`.
//!
//! [`judge`] decides what the leaving of a rank means; [`output`] (over [`lines`] and [`sink`]) and
//! [`stdin`] carry bytes; [`pmi`] serves programs of MPICH's family; [`watch`] notices MPI programs that run below a shell; [`summary`] and
//! [`events`] tell people and programs, [`starting`] people who wait; [`report`] says what ranks wait for, and [`hang`] when to say so unasked. [`control`] is the loop's other half: signals and messages.
//!
//! A job goes through these phases, forward only:
//!
//! * *running*: until all ranks have left, or the judge wants an end;
//! * *noted*: a rank has called `MPI_Abort` and may say its last words;
//! * *asked*: the ranks have been sent a signal and have some time;
//! * *finishing*: the keepers kill what is left, and leave;
//! * *leaving*: one keeper has left, or was killed, and the other one is left to its work;
//! * *draining*: nothing runs any more; what was written is still on its way out.

pub mod channels;
mod control;
pub mod events;
pub mod hang;
pub mod judge;
pub mod lines;
pub mod output;
pub mod pmi;
pub mod report;
pub mod sink;
mod starting;
pub mod stdin;
pub mod summary;
pub mod watch;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use hpvm_wire::{Bell, Board};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::json;

use crate::keeper::Keepers;
use crate::mpir;
use crate::network::Kept;
use crate::options::JobOptions;
use crate::plan::Plan;
use crate::reap;
use crate::sys::SignalFd;
use events::Events;
use hang::Hang;
use judge::{Ending, Judge};
use output::{Output, Trouble};
use pmi::Pmi;
use starting::Starting;
use stdin::Stdin;
use watch::Watch;

/// Between a signal from the user and SIGKILL.
const GRACE_USER: Duration = Duration::from_secs(3);
/// Between SIGTERM and SIGKILL when a rank has failed.
const GRACE_FAILURE: Duration = Duration::from_millis(250);
/// For a rank that has called `MPI_Abort` to write what its program has printed before.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Status lines are looked at when the bell rings, and at the first occasion after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// `--hang-report`
const HANG_REPORT: Duration = Duration::from_secs(60);
/// While some MPI process cannot be watched.
const ASK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    Noted { rank: u32, until: Instant },
    Asked { until: Instant },
    Finishing,
    Leaving { until: Instant },
    Draining,
}

/// Why there is a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Why {
    /// SIGUSR1
    Asked,
    Timeout,
    Hang,
}

/// All that makes up a running job.
pub struct Job<'a> {
    pub plan: &'a Plan,
    pub options: &'a JobOptions,
    pub board: Board,
    pub bell: Bell,
    pub keepers: Keepers,
    pub signals: SignalFd,
    pub output: Output,
    pub stdin: Stdin,
    pub events: Events,
    pub net: Option<Kept>,
    pub pmi: Option<Pmi>,
    /// Children from before the job; see [`reap::everything`].
    pub spared: HashSet<i32>,
}

struct Running<'a> {
    job: Job<'a>,
    judge: Judge,
    watch: Watch,
    phase: Phase,
    /// When `--timeout` strikes.
    timeout: Option<Instant>,
    hang: Option<Hang>,
    failure_is_told: bool,
    debugger_is_told: bool,
    starting: Starting,
    /// Reports that wait for what the system says about the ranks.
    reports: Vec<(Instant, Why)>,
    look_again: Instant,
    /// Before the job.
    memory_kills: u64,
    keeper_is_done: bool,
    /// The user has asked a second time.
    hurried: bool,
}

/// Sees a job through to its end; the exit status.
pub fn run(job: Job) -> u8 {
    let judge = Judge::new(job.plan.size());
    let now = Instant::now();
    let timeout = job.options.timeout.and_then(|after| now.checked_add(after));
    let hang_report = job.options.hang_report.unwrap_or(HANG_REPORT);
    let watch = Watch::default();
    let starting = Starting::new(job.plan.size(), job.plan.machines.len());
    let mut running = Running {
        job,
        judge,
        watch,
        phase: Phase::Running,
        timeout,
        hang: Hang::new(hang_report, now),
        failure_is_told: false,
        debugger_is_told: false,
        starting,
        reports: Vec::new(),
        look_again: Instant::now(),
        memory_kills: summary::memory_kills(),
        keeper_is_done: false,
        hurried: false,
    };
    running.event("start", json!({ "ranks": running.job.plan.size(), "host": running.job.plan.host }));
    while !running.is_over() {
        let ready = running.wait();
        running.step(ready);
    }
    running.close()
}

/// What the loop learned from `poll` beyond what each part finds out by itself.
struct Ready {
    stdin: bool,
    stdin_gone: bool,
    /// Ranks that speak PMI.
    pmi: Vec<u32>,
}

impl Running<'_> {
    fn is_over(&self) -> bool {
        self.phase == Phase::Draining && (self.hurried || self.job.output.is_finished())
    }

    fn wait(&self) -> Ready {
        let now = Instant::now();
        let job = &self.job;
        let stdin = job.stdin.interests(now);
        let input = |fd| PollFd::from_borrowed_fd(fd, PollFlags::IN);
        let mut polled: Vec<PollFd> = stdin.iter().map(|(fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)).collect();
        polled.extend(job.output.interests().into_iter().map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)));
        polled.extend(self.watch.interests().map(input));
        let (speakers, at): (Vec<_>, _) = (job.pmi.iter().flat_map(Pmi::interests).collect(), polled.len());
        polled.extend(speakers.iter().map(|(_, fd, flags)| PollFd::from_borrowed_fd(*fd, *flags)));
        polled.push(PollFd::new(&job.bell, PollFlags::IN));
        polled.push(PollFd::new(&job.signals, PollFlags::IN));
        if self.phase != Phase::Draining {
            let (inner, outer) = (&job.keepers.inner, &job.keepers.outer);
            let sending = if inner.has_unsent() { PollFlags::OUT } else { PollFlags::empty() };
            // One that has ended would be ready for ever.
            polled.extend((!inner.is_closed()).then(|| PollFd::new(inner, PollFlags::IN | sending)));
            polled.extend((!outer.is_closed()).then(|| PollFd::new(outer, PollFlags::IN)));
        }
        let timeout = self.next_deadline(now).map(|at| {
            // Rounded up: waking a little early would make the loop spin until the time has come.
            let wait = at.saturating_duration_since(now) + Duration::from_micros(50);
            Timespec { tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: wait.subsec_nanos().into() }
        });
        // An interrupted poll is as good as one that says "look": everything below looks for itself.
        let _ = poll(&mut polled, timeout.as_ref());
        let gone = PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL;
        let speaking = speakers.iter().zip(&polled[at..]).filter(|(_, polled)| !polled.revents().is_empty());
        Ready {
            pmi: speaking.map(|((rank, ..), _)| *rank).collect(),
            stdin_gone: !stdin.is_empty() && polled[0].revents().intersects(gone),
            stdin: stdin.len() > 1 && polled[1].revents().intersects(PollFlags::IN | gone),
        }
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let asked = match self.phase {
            Phase::Asked { until } | Phase::Noted { until, .. } | Phase::Leaving { until } => Some(until),
            _ => None,
        };
        let timeout = self.timeout.filter(|_| self.phase == Phase::Running);
        let asking = self.watch.needs_asking().then(|| now + ASK_AGAIN);
        let is_running = self.phase == Phase::Running;
        let hang = self.hang.as_ref().filter(|_| is_running).map(Hang::deadline);
        let report = self.reports.iter().map(|(at, _)| *at).min();
        let parts = [self.job.output.deadline(), self.job.stdin.deadline(), self.judge.deadline(), self.starting.deadline()];
        parts.into_iter().chain([asked, timeout, asking, hang, report]).flatten().min()
    }

    fn step(&mut self, ready: Ready) {
        let now = Instant::now();
        self.take_signals(now);
        self.speak_pmi(&ready.pmi, now);
        self.look_at_the_board(now);
        self.take_messages();
        self.judge.tick(now);
        self.job.stdin.work(ready.stdin, ready.stdin_gone, now);
        if self.job.output.has_something() || self.judge.ending().is_some() {
            self.starting.clear();
        }
        self.starting.tick(now);
        if let Err(trouble) = self.job.output.work(now) {
            self.trouble(trouble);
        }
        self.tell_first_failure();
        self.look_for_hangs(now);
        self.report(now);
        self.advance(now);
    }

    fn tell_first_failure(&mut self) {
        let Some(first) = self.judge.incidents.first().copied().filter(|_| !self.failure_is_told) else { return };
        self.failure_is_told = true;
        let how = summary::incident(self.job.plan, &self.judge, &self.job.board, &first);
        mpir::aborting(&how);
        let (pid, node) = (self.judge.pid(first.rank), self.job.plan.host_of(first.rank));
        self.event("failure", json!({ "rank": first.rank, "pid": pid, "node": node, "status": first.status(), "how": how }));
    }

    /// From phase to phase.
    fn advance(&mut self, now: Instant) {
        if self.timeout.is_some_and(|at| at <= now) && self.phase == Phase::Running && self.judge.ending().is_none() {
            self.timeout = None;
            self.ask_for_report(Why::Timeout, now);
            self.report(now);
        }
        match self.phase {
            Phase::Running if self.judge.ending().is_some() => match self.judge.aborting_rank() {
                Some(rank) => self.phase = Phase::Noted { rank, until: now + LAST_WORDS },
                None => self.ask_to_leave(now),
            },
            Phase::Noted { rank, until } if until <= now || self.judge.has_left(rank) => self.ask_to_leave(now),
            _ => (),
        }
        let over = match self.phase {
            Phase::Asked { until } => until <= now || self.judge.all_left(),
            Phase::Running => self.judge.all_left(),
            _ => false,
        };
        let is_under_way = matches!(self.phase, Phase::Finishing | Phase::Leaving { .. } | Phase::Draining);
        if over || (self.hurried && !is_under_way) {
            self.finish();
        }
        self.look_at_the_keepers(now);
    }

    fn trouble(&mut self, trouble: Trouble) {
        let status = match trouble {
            // As a program that writes to nobody would end: by SIGPIPE, without a word.
            Trouble::NobodyReads => 128 + libc::SIGPIPE as u8,
            Trouble::CannotWrite(text) => {
                self.job.output.note(&text);
                1
            }
        };
        self.judge.end(Ending::Own { status });
    }

    /// Tells programs, and with `--verbose` people.
    fn event(&mut self, event: &str, fields: serde_json::Value) {
        // A report has just been written in words.
        if self.job.options.verbose && event != "report" {
            self.job.output.note(&format!("{event} {fields}"));
        }
        if let Err(text) = self.job.events.write(event, fields) {
            self.job.output.note(&text);
            self.judge.end(Ending::Own { status: 1 });
        }
    }

    /// The last words.
    fn close(mut self) -> u8 {
        reap::everything(&self.job.spared, |_, _| ());
        self.starting.clear();
        let mut status = self.judge.status();
        // The summary, where the user did not want to wait for the rest.
        let _ = self.job.output.work(Instant::now());
        if let Err(Trouble::CannotWrite(text)) = self.job.output.close()
            && status == 0
        {
            eprintln!("hpvmrun: {text}");
            status = 1;
        }
        let why = match self.judge.ending() {
            Some(Ending::Incident(_)) => "failure",
            Some(Ending::Signal(_)) => "signal",
            Some(Ending::Timeout) => "timeout",
            Some(Ending::Own { .. }) => "launcher",
            None if self.judge.incidents.is_empty() => "done",
            None => "failure",
        };
        let _ = self.job.events.write("end", json!({ "status": status, "why": why }));
        status
    }
}
