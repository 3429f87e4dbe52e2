//! What the leaving of a rank means for the job.
//!
//! Pure: it is told what happened and when, and answers whether the job has to end and with which exit
//! status. The rules:
//!
//! * A rank that has called `MPI_Init` and leaves without `MPI_Finalize` ends the job, whatever its exit
//!   status was: the others would wait for it for ever.
//! * `MPI_Abort` ends the job (MPI 5.0 §9.7).
//! * Any other rank with a bad exit status gives the job its status, and the others go on: they may be
//!   commands that know nothing of each other, or MPI programs that are through. If some of the others
//!   *are* in MPI and this rank never was, they would wait for it too, and the job ends.
//! * The MPI program may be a descendant of the rank's process (`bash -c`). A rank has left when both
//!   have; a dead MPI process whose shell goes on is an end all the same, after [`PATIENCE`].

use std::time::{Duration, Instant};

use hpvm_wire::{State, StatusLine};

use crate::exit::{self, End};

/// How long a shell has to leave after the MPI program it ran has died, so that it can say how.
pub const PATIENCE: Duration = Duration::from_millis(300);

/// What a status line says that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub state: State,
    pub mpi_pid: Option<u32>,
    pub abort_code: i32,
}

impl Seen {
    pub fn on(line: &StatusLine) -> Self {
        Self { state: line.state(), mpi_pid: line.pid(), abort_code: line.abort_code() }
    }
}

/// A rank that did not end well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    pub rank: u32,
    pub cause: Cause,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    Aborted {
        code: i32,
    },
    /// Left between `MPI_Init` and `MPI_Finalize`.
    Unfinished(End),
    /// The MPI process died between them, below a program that goes on.
    Vanished,
    /// Left badly without ever having called `MPI_Init`.
    Plain(End),
    /// Left badly after `MPI_Finalize`.
    Finalised(End),
}

impl Incident {
    pub fn status(&self) -> u8 {
        match self.cause {
            // The lowest 8 bits are what the system keeps, but an abort is never a success.
            Cause::Aborted { code } => match code as u8 {
                0 => 1,
                low => low,
            },
            Cause::Unfinished(end) => end.code().max(1),
            Cause::Vanished => 1,
            Cause::Plain(end) | Cause::Finalised(end) => end.code(),
        }
    }
}

/// Why everything is being ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Index into [`Judge::incidents`].
    Incident(usize),
    /// A signal to hpvmrun.
    Signal(i32),
    Timeout,
    /// hpvmrun itself could not go on; it has said why.
    Own {
        status: u8,
    },
}

#[derive(Clone, Debug)]
struct Rank {
    pid: Option<u32>,
    seen: Seen,
    end: Option<End>,
    mpi_gone: bool,
    /// When a shell is no longer waited for.
    lost_at: Option<Instant>,
    left: bool,
}

/// The state of all ranks.
#[derive(Debug)]
pub struct Judge {
    ranks: Vec<Rank>,
    pub incidents: Vec<Incident>,
    ending: Option<Ending>,
    /// Ranks that were still there when the ending began.
    pub ended_others: usize,
    /// Something went wrong after a signal to hpvmrun, and because of it.
    unclean: bool,
}

impl Judge {
    pub fn new(ranks: u32) -> Self {
        let seen = Seen { state: State::Plain, mpi_pid: None, abort_code: 0 };
        let rank = Rank { pid: None, seen, end: None, mpi_gone: false, lost_at: None, left: false };
        Self { ranks: vec![rank; ranks as usize], incidents: Vec::new(), ending: None, ended_others: 0, unclean: false }
    }

    /// A rank's process was made.
    pub fn started(&mut self, rank: u32, pid: u32) {
        self.ranks[rank as usize].pid = Some(pid);
    }

    pub fn pid(&self, rank: u32) -> Option<u32> {
        let rank = &self.ranks[rank as usize];
        rank.seen.mpi_pid.or(rank.pid)
    }

    /// The rank's own process, as opposed to an MPI program that it runs.
    pub fn child(&self, rank: u32) -> Option<u32> {
        self.ranks[rank as usize].pid
    }

    pub fn has_left(&self, rank: u32) -> bool {
        self.ranks[rank as usize].left
    }

    pub fn mpi_is_gone(&self, rank: u32) -> bool {
        self.ranks[rank as usize].mpi_gone
    }

    /// A rank's process could not be made, or could not become the program.
    pub fn never_started(&mut self, rank: u32) {
        self.ranks[rank as usize].left = true;
    }

    /// Looks at a status line; the name of its state if that is new.
    pub fn look(&mut self, rank: u32, seen: Seen) -> Option<&'static str> {
        let at = &mut self.ranks[rank as usize];
        let fresh = at.seen.state != seen.state;
        at.seen = seen;
        match seen.state {
            State::Aborted if fresh && !at.left => {
                self.fail(Incident { rank, cause: Cause::Aborted { code: seen.abort_code } }, true);
            }
            State::Initialised if fresh => self.end_if_someone_is_missing(),
            _ => (),
        }
        fresh.then_some(match seen.state {
            State::Plain => "plain",
            State::Initialised => "initialised",
            State::Finalised => "finalised",
            State::Aborted => "aborted",
        })
    }

    /// A rank's own process has ended.
    pub fn ended(&mut self, rank: u32, end: End, seen: Seen) {
        self.look(rank, seen);
        self.ranks[rank as usize].end = Some(end);
        self.consider(rank);
    }

    /// The process that claimed the status line has ended, and is not the rank's own process.
    pub fn mpi_process_gone(&mut self, rank: u32, seen: Seen, now: Instant) {
        self.look(rank, seen);
        let at = &mut self.ranks[rank as usize];
        at.mpi_gone = true;
        if at.end.is_none() && seen.state == State::Initialised {
            at.lost_at = Some(now + PATIENCE);
        }
        self.consider(rank);
    }

    /// When [`Judge::tick`] has something to do.
    pub fn deadline(&self) -> Option<Instant> {
        self.ranks.iter().filter_map(|rank| rank.lost_at).min()
    }

    pub fn tick(&mut self, now: Instant) {
        for rank in 0..self.ranks.len() {
            if self.ranks[rank].lost_at.is_some_and(|at| at <= now) {
                self.ranks[rank].lost_at = None;
                self.fail(Incident { rank: rank as u32, cause: Cause::Vanished }, true);
            }
        }
    }

    /// Something other than a rank ends the job. The first reason stands.
    pub fn end(&mut self, why: Ending) {
        if self.ending.is_none() {
            self.ending = Some(why);
            self.ended_others = self.ranks.iter().filter(|rank| !rank.left).count();
        }
    }

    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The rank whose `MPI_Abort` is ending the job.
    pub fn aborting_rank(&self) -> Option<u32> {
        match self.ending? {
            Ending::Incident(index) => match self.incidents[index] {
                Incident { rank, cause: Cause::Aborted { .. } } => Some(rank),
                _ => None,
            },
            _ => None,
        }
    }

    pub fn all_left(&self) -> bool {
        self.ranks.iter().all(|rank| rank.left)
    }

    /// The job's exit status.
    pub fn status(&self) -> u8 {
        match self.ending {
            Some(Ending::Timeout) => exit::TIMEOUT,
            Some(Ending::Own { status }) => status,
            Some(Ending::Signal(number)) if self.unclean || !self.all_left() => 128 + number as u8,
            _ => self.incidents.first().map_or(0, Incident::status),
        }
    }

    /// Has the rank left, and if so, how?
    fn consider(&mut self, rank: u32) {
        let at = &mut self.ranks[rank as usize];
        let Some(end) = at.end else { return };
        let elsewhere = at.seen.mpi_pid.is_some_and(|pid| Some(pid) != at.pid);
        if at.left || (elsewhere && !at.mpi_gone) {
            return;
        }
        at.left = true;
        at.lost_at = None;
        match at.seen.state {
            State::Initialised => self.fail(Incident { rank, cause: Cause::Unfinished(end) }, true),
            // Noticed by `look`.
            State::Aborted => (),
            State::Plain if end.code() != 0 => {
                self.fail(Incident { rank, cause: Cause::Plain(end) }, false);
                self.end_if_someone_is_missing();
            }
            State::Finalised if end.code() != 0 => self.fail(Incident { rank, cause: Cause::Finalised(end) }, false),
            State::Plain | State::Finalised => (),
        }
    }

    fn fail(&mut self, incident: Incident, ends_the_job: bool) {
        if self.ending.is_some() {
            self.unclean = true;
            return;
        }
        self.incidents.push(incident);
        if ends_the_job {
            self.end(Ending::Incident(self.incidents.len() - 1));
            // The rank itself is not one of the others, whether or not it has left already.
            self.ended_others -= usize::from(!self.ranks[incident.rank as usize].left);
        }
    }

    /// A rank failed before MPI, and others are in MPI and count on it.
    fn end_if_someone_is_missing(&mut self) {
        let missing = self.incidents.iter().position(|incident| matches!(incident.cause, Cause::Plain(_)));
        let waiting = self.ranks.iter().any(|rank| rank.seen.state == State::Initialised && !rank.left);
        if let Some(index) = missing.filter(|_| waiting) {
            self.end(Ending::Incident(index));
        }
    }
}

#[cfg(test)]
mod tests;
