//! The wait-for report: what each rank is doing, whom it waits for, and why nobody goes on.
//!
//! It is made of what the status lines say at one moment, and so is its truth: a job that runs may show waits that are about to end.
//! [`conclusions`] follows the waits from rank to rank.

mod conclusions;
mod words;

use std::fmt::Write as _;

use hpvm_wire::status::{Asking, Process, Wait};
use hpvm_wire::{Board, State};
use serde_json::{Value, json};

use super::judge::Judge;
use crate::plan::Plan;

/// A rank at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    pub pid: Option<u32>,
    pub doing: Doing,
    /// The MPI call entered last.
    pub call: Option<&'static str>,
    /// How the system sees the MPI process, if it was asked.
    pub process: Option<Process>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Doing {
    /// No process of it is there any more; whether it had called `MPI_Finalize`.
    Left { finalised: bool },
    /// It has not called `MPI_Init`.
    Plain,
    Initialises,
    /// Nothing that it would wait for.
    Runs,
    Waits(Wait),
    /// In calls that return at once, again and again.
    Asks(Wait),
    Finalised,
    Aborts,
}

impl View {
    fn of(rank: u32, judge: &Judge, board: &Board, now_ns: u64) -> Self {
        let line = &board[rank as usize];
        let asking = line.asks(now_ns);
        let asks = |Asking { waiting, since_ns, .. }| Doing::Asks(Wait { waiting, since_ns, moved_ns: since_ns });
        let doing = match line.state() {
            state if judge.has_left(rank) => Doing::Left { finalised: state == State::Finalised },
            State::Plain if line.pid().is_some() => Doing::Initialises,
            State::Plain => Doing::Plain,
            State::Initialised => line.wait().map(Doing::Waits).or(asking.map(asks)).unwrap_or(Doing::Runs),
            State::Finalised => Doing::Finalised,
            State::Aborted => Doing::Aborts,
        };
        // Between the calls that ask there may be others.
        let call = asking.filter(|_| matches!(doing, Doing::Asks(_))).and_then(|asking| asking.call).or(line.last_call());
        Self { pid: judge.pid(rank), doing, call, process: line.process() }
    }

    fn is_stopped(&self) -> bool {
        self.process.is_some_and(|process| matches!(process.state, b'T' | b't'))
    }

    fn wait(&self) -> Option<&Wait> {
        match &self.doing {
            Doing::Waits(wait) | Doing::Asks(wait) => Some(wait),
            _ => None,
        }
    }
}

/// All ranks at one moment.
#[derive(Debug)]
pub struct Report {
    ranks: Vec<View>,
    /// Where each is, if they are not all in one place.
    hosts: Option<Vec<String>>,
    /// `CLOCK_MONOTONIC`
    now_ns: u64,
}

impl Report {
    pub fn new(plan: &Plan, judge: &Judge, board: &Board, now_ns: u64) -> Self {
        let ranks = (0..plan.size()).map(|rank| View::of(rank, judge, board, now_ns)).collect();
        let hosts = (plan.machines.len() > 1).then(|| (0..plan.size()).map(|rank| plan.host_of(rank).to_owned()).collect());
        Self { ranks, hosts, now_ns }
    }

    /// A line for each rank, then what follows from them.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (rank, view) in self.ranks.iter().enumerate() {
            let pid = view.pid.map_or("no process".into(), |pid| format!("pid {pid}"));
            let host = self.hosts.as_ref().map_or_else(String::new, |hosts| format!(" on {}", hosts[rank]));
            let _ = writeln!(text, "  rank {rank}, {pid}{host}: {}", words::doing(view, rank, self.now_ns));
        }
        for conclusion in conclusions::of(&self.ranks, self.now_ns) {
            let _ = writeln!(text, "  {conclusion}");
        }
        text
    }

    /// The same for programs.
    pub fn fields(&self) -> Value {
        let rank = |(rank, view): (usize, &View)| {
            let mut fields = json!({ "rank": rank, "pid": view.pid, "call": view.call, "doing": words::state(view) });
            if let Some(wait) = view.wait() {
                let known = |number: i32| (number >= 0).then_some(number);
                fields["wait"] = json!({
                    "for": words::what(wait),
                    "communicator": wait.waiting.comm_text(),
                    "rank": known(wait.waiting.world),
                    "tag": known(wait.waiting.tag).filter(|_| wait.waiting.operation.is_none()),
                    "operation": wait.waiting.operation_name(),
                    "others": wait.waiting.others,
                    "seconds": words::seconds(wait.since_ns, self.now_ns),
                });
            }
            fields
        };
        json!({
            "ranks": self.ranks.iter().enumerate().map(rank).collect::<Vec<_>>(),
            "conclusions": conclusions::of(&self.ranks, self.now_ns),
        })
    }
}

#[cfg(test)]
mod tests;
