//! Notices that no rank makes progress any more, for `--hang-report`.
//!
//! Pure: it is told at some moments what the status lines say. A rank is without progress while it waits in MPI and nothing comes to
//! it, or asks for something and does nothing else (`MPI_Test` in a loop), or is stopped by a signal; one that has left, or called `MPI_Finalize`, does not count. A rank that is not in a wait computes, or sleeps for
//! reasons of its own, for as long as it likes.
//!
//! A line can be wrong in one way: a rank that waits in one thread may compute in another, and one that gets a long message without a pause shows the wait
//! that it began with. Both need a processor. So the system is asked twice, half the time apart, how long each has had one.

use std::time::{Duration, Instant};

use hpvm_wire::status::{Asking, Process};
use hpvm_wire::{Board, State};

use super::judge::Judge;

/// The longest time between two looks.
const LOOK_MAX: Duration = Duration::from_secs(5);
const LOOK_MIN: Duration = Duration::from_millis(50);
/// What the system says of ranks on other machines has arrived after that.
pub const ANSWER: Duration = Duration::from_millis(400);

/// Who has a processor for longer than this for each time that it asks does something else, too.
const ASKING_US_MAX: u64 = 20;

/// A time on another machine's clock is put into ours each time that the line comes, which takes now this long, now that. What is seen as progress takes
/// longer: a report is asked for after some tenths of a second at least.
const CLOCKS_APART_NS: u64 = 50_000_000;

/// What a line says that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody waits for progress of this rank: it has left, or is through with MPI.
    Over,
    /// It goes on, for all that is known.
    Runs,
    /// In the same wait since then, in which something came at that time.
    Waits { since_ns: u64, moved_ns: u64 },
    /// In calls that ask in vain, since then, so often.
    Asks { since_ns: u64, times: u32 },
    Stopped,
}

/// One rank at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub standing: Standing,
    pub process: Option<Process>,
}

impl Seen {
    pub fn all(judge: &Judge, board: &Board, now_ns: u64) -> Vec<Self> {
        (0..).zip(board.iter()).map(|(rank, line)| Self::of(rank, judge, line, now_ns)).collect()
    }

    fn of(rank: u32, judge: &Judge, line: &hpvm_wire::StatusLine, now_ns: u64) -> Self {
        let process = line.process();
        let standing = match (line.state(), line.wait()) {
            _ if judge.has_left(rank) => Standing::Over,
            (State::Finalised | State::Aborted, _) => Standing::Over,
            (_, Some(wait)) => Standing::Waits { since_ns: wait.since_ns, moved_ns: wait.moved_ns },
            // Not `t`: with a debugger there is somebody who knows.
            (State::Initialised, None) if process.is_some_and(|process| process.state == b'T') => Standing::Stopped,
            (_, None) => match line.asks(now_ns) {
                Some(Asking { since_ns, times, .. }) => Standing::Asks { since_ns, times },
                None => Standing::Runs,
            },
        };
        Self { standing, process }
    }

    /// Whether the two mean that the rank has not moved.
    fn is_where(&self, before: &Self) -> bool {
        match (before.standing, self.standing) {
            (Standing::Asks { since_ns: before, .. }, Standing::Asks { since_ns, .. }) => since_ns.abs_diff(before) < CLOCKS_APART_NS,
            (before, now) => before == now,
        }
    }
}

#[derive(Debug)]
enum Stage {
    Calm,
    /// No rank has moved for half the time. The system has been asked, and answers by then.
    Asked { by: Instant },
    /// This is what ranks were like then.
    Suspected { ranks: Vec<Seen>, then: Instant },
    /// The whole time has passed; the system has been asked once more.
    AskedAgain { ranks: Vec<Seen>, then: Instant, by: Instant },
    /// It has been said, and holds until some rank moves.
    Told { ranks: Vec<Seen> },
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Todo {
    Nothing,
    /// Ask the system about all ranks.
    Ask,
    /// No rank has made progress for the whole time.
    Tell,
}

/// The watch for hangs.
#[derive(Debug)]
pub struct Hang {
    after: Duration,
    next: Instant,
    stage: Stage,
    /// When the system was asked about ranks that may be stopped.
    asked: Option<Instant>,
}

impl Hang {
    /// `None` for a time of zero: never.
    pub fn new(after: Duration, now: Instant) -> Option<Self> {
        (!after.is_zero()).then(|| Self { after, next: now + pause(after), stage: Stage::Calm, asked: None })
    }

    pub fn after(&self) -> Duration {
        self.after
    }

    /// When to look next.
    pub fn deadline(&self) -> Instant {
        self.next
    }

    /// Looks at all ranks. `now_ns` is `CLOCK_MONOTONIC`.
    pub fn look(&mut self, ranks: &[Seen], now: Instant, now_ns: u64) -> Todo {
        let stage = std::mem::replace(&mut self.stage, Stage::Calm);
        let (stage, todo) = self.step(stage, ranks, now, now_ns);
        self.next = match &stage {
            Stage::Asked { by } | Stage::AskedAgain { by, .. } => *by,
            _ => now + pause(self.after),
        };
        self.stage = stage;
        todo
    }

    fn step(&mut self, stage: Stage, ranks: &[Seen], now: Instant, now_ns: u64) -> (Stage, Todo) {
        let half = self.after / 2;
        let still = |before: &[Seen]| before.iter().zip(ranks).all(|(before, rank)| rank.is_where(before));
        match stage {
            Stage::Told { ranks: before } if still(&before) => (Stage::Told { ranks: before }, Todo::Nothing),
            Stage::Asked { by } if now < by => (Stage::Asked { by }, Todo::Nothing),
            Stage::AskedAgain { ranks, then, by } if now < by => (Stage::AskedAgain { ranks, then, by }, Todo::Nothing),
            Stage::Asked { .. } if quiet(ranks).is_some() => (Stage::Suspected { ranks: ranks.to_vec(), then: now }, Todo::Nothing),
            Stage::Suspected { ranks: before, then } if still(&before) => {
                let whole = quiet(ranks).is_some_and(|moved_ns| now_ns.saturating_sub(moved_ns) >= self.after.as_nanos() as u64);
                // Of a stopped rank it is not known since when.
                match whole && now.saturating_duration_since(then) >= half {
                    true => (Stage::AskedAgain { ranks: before, then, by: now + ANSWER }, Todo::Ask),
                    false => (Stage::Suspected { ranks: before, then }, Todo::Nothing),
                }
            }
            Stage::AskedAgain { ranks: before, then, .. } if still(&before) => match are_busy(&before, ranks, now - then) {
                true => (Stage::Suspected { ranks: ranks.to_vec(), then: now }, Todo::Nothing),
                false => (Stage::Told { ranks: before }, Todo::Tell),
            },
            _ => self.calm(ranks, now, now_ns),
        }
    }

    fn calm(&mut self, ranks: &[Seen], now: Instant, now_ns: u64) -> (Stage, Todo) {
        let half = self.after / 2;
        let for_half = |moved_ns: u64| now_ns.saturating_sub(moved_ns) >= half.as_nanos() as u64;
        if quiet(ranks).is_some_and(for_half) {
            return (Stage::Asked { by: now + ANSWER }, Todo::Ask);
        }
        // Whether a rank is stopped is seen by asking only. That is done where others wait for somebody.
        let waits_long = |rank: &Seen| match rank.standing {
            Standing::Waits { moved_ns, .. } | Standing::Asks { since_ns: moved_ns, .. } => for_half(moved_ns),
            Standing::Over | Standing::Runs | Standing::Stopped => false,
        };
        if ranks.iter().any(waits_long) && self.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= half) {
            self.asked = Some(now);
            return (Stage::Calm, Todo::Ask);
        }
        (Stage::Calm, Todo::Nothing)
    }
}

fn pause(after: Duration) -> Duration {
    (after / 8).clamp(LOOK_MIN, LOOK_MAX)
}

/// If no rank makes progress and some rank waits for it: since when nothing has come to any.
fn quiet(ranks: &[Seen]) -> Option<u64> {
    let mut latest = None;
    for rank in ranks {
        match rank.standing {
            Standing::Over | Standing::Stopped => (),
            Standing::Waits { moved_ns, .. } | Standing::Asks { since_ns: moved_ns, .. } => latest = latest.max(Some(moved_ns)),
            Standing::Runs => return None,
        }
    }
    latest
}

/// Whether some rank has had a processor for more of the time than waiting takes, or has wanted one both times: on a busy machine it may get little.
fn are_busy(before: &[Seen], ranks: &[Seen], time: Duration) -> bool {
    // In hundredths of a second; an eighth of the time, and what looking around takes.
    let most = (time.as_millis() / 80) as u32 + 3;
    before.iter().zip(ranks).any(|(before, rank)| match (before.process, rank.process) {
        (Some(then), Some(now)) => match asked(before, rank) {
            Some(times) => u64::from(now.busy_since(then)) * 10_000 > u64::from(times) * ASKING_US_MAX,
            None => now.busy_since(then) > most || [then.state, now.state] == [b'R'; 2],
        },
        _ => asked(before, rank).is_some(),
    })
}

/// How often a rank that only asks has done so in between.
fn asked(before: &Seen, rank: &Seen) -> Option<u32> {
    match (before.standing, rank.standing) {
        (Standing::Asks { times: before, .. }, Standing::Asks { times, .. }) => Some(times.wrapping_sub(before)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
