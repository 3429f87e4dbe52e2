//! What was measured: values by cell, by MPI, by round; and what failed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{How, PROGRAMS, Program, When};
use super::stats::median;
use super::table::Better;

/// One line of a program's output.
#[derive(Clone, Debug, Deserialize)]
pub struct Line {
    pub test: String,
    pub ranks: usize,
    pub bytes: u64,
    pub unit: String,
    pub value: f64,
}

/// What a cell is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The positions of program and cell, so that cells keep their order.
    pub program: usize,
    test_at: usize,
    pub ranks: usize,
    pub bytes: u64,
    pub test: String,
    pub unit: String,
}

/// By round. Not every MPI has a value in each: who failed, or is out of the race, has none.
pub type Values = BTreeMap<usize, f64>;

/// A program that did not come to its end.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    pub program: &'static str,
    pub mpi: String,
    pub why: String,
    pub times: usize,
}

#[derive(Debug, Default)]
pub struct Series {
    pub cells: BTreeMap<Key, BTreeMap<String, Values>>,
    /// By what was measured, one per round.
    pub floor: BTreeMap<String, Values>,
    /// By program and MPI.
    pub failures: BTreeMap<(usize, String), Failure>,
    /// By program and MPI: how often it ran, and how long the last time took.
    pub runs: BTreeMap<(usize, String), (usize, f64)>,
}

/// A peer this much worse than the best one in all cells of a program is not run again and again.
const HOPELESS: f64 = 2.0;

impl Series {
    pub fn add(&mut self, program: usize, mpi: &str, round: usize, line: Line) {
        let Line { test, ranks, bytes, unit, value } = line;
        let tests = PROGRAMS[program].tests;
        let test_at = tests.iter().position(|known| *known == test).unwrap_or(tests.len());
        let key = Key { program, test_at, ranks, bytes, test, unit };
        self.cells.entry(key).or_default().entry(mpi.into()).or_default().insert(round, value);
    }

    pub fn add_floor(&mut self, round: usize, values: BTreeMap<String, f64>) {
        for (name, value) in values {
            self.floor.entry(name).or_default().insert(round, value);
        }
    }

    pub fn fail(&mut self, program: usize, mpi: &str, why: String) {
        let key = (program, mpi.to_owned());
        let new = Failure { program: PROGRAMS[program].name, mpi: mpi.into(), why: String::new(), times: 0 };
        let failure = self.failures.entry(key).or_insert(new);
        failure.times += 1;
        failure.why = why;
    }

    /// Whether another round of it can change a cell. What counts is the best peer; who is far behind it everywhere is shown by the
    /// median of the rounds that it had: three, or one when they take long. Who fails has three tries, where it has a chance.
    pub fn is_worth_a_run(&self, program: usize, mpi: &str, ours: &str) -> bool {
        let key = (program, mpi.to_owned());
        let Some(&(runs, seconds)) = self.runs.get(&key) else { return true };
        let failed = self.failures.get(&key).map_or(0, |failure| failure.times);
        let is_slow = seconds > 10.0;
        let plan = &PROGRAMS[program];
        if failed >= 3 {
            false
        } else if mpi == ours {
            plan.when != When::Alone || runs < 3
        } else if plan.how == How::Jobs {
            // The bounds are ours alone: the others are shown, not compared.
            runs < 3 && !is_slow
        } else {
            self.is_in_the_race(program, mpi, ours) || (runs < 3 && !is_slow)
        }
    }

    fn is_in_the_race(&self, program: usize, mpi: &str, ours: &str) -> bool {
        let cells = self.cells.iter().filter(|(key, _)| key.program == program);
        cells.into_iter().any(|(key, values)| {
            let median = |values: &Values| median(&values.values().copied().collect::<Vec<_>>());
            let Some(mine) = values.get(mpi).map(median) else { return false };
            let peers = values.iter().filter(|(name, _)| *name != ours).map(|(_, values)| median(values));
            match Better::of(&key.unit) {
                Better::Lower => peers.fold(mine, f64::min) * HOPELESS >= mine,
                Better::Higher => peers.fold(mine, f64::max) <= mine * HOPELESS,
            }
        })
    }
}

/// Where a program stands in the plan.
pub fn position(program: &Program) -> usize {
    PROGRAMS.iter().position(|known| known.name == program.name).expect("a program of the plan")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(values: &[(&str, f64)]) -> Series {
        let mut series = Series::default();
        for &(mpi, value) in values {
            let line = Line { test: "latency".into(), ranks: 2, bytes: 8, unit: "us".into(), value };
            series.add(0, mpi, 0, line);
            series.runs.insert((0, mpi.into()), (3, 1.0));
        }
        series
    }

    #[test]
    fn who_is_far_behind_the_best_peer_is_not_run_on() {
        let series = measured(&[("ours", 9.0), ("quick", 1.0), ("close", 1.9), ("slow", 2.1)]);
        let worth = |mpi| series.is_worth_a_run(0, mpi, "ours");
        assert!(worth("ours") && worth("quick") && worth("close") && worth("new"));
        assert!(!worth("slow"));
    }

    #[test]
    fn a_slow_run_is_enough_and_failures_end_at_three() {
        let mut series = measured(&[("ours", 1.0), ("quick", 1.0), ("slow", 3.0)]);
        series.runs.insert((0, "slow".into()), (1, 9.0));
        assert!(series.is_worth_a_run(0, "slow", "ours"));
        series.runs.insert((0, "slow".into()), (1, 11.0));
        assert!(!series.is_worth_a_run(0, "slow", "ours"));
        for _ in 0..3 {
            assert!(series.is_worth_a_run(0, "quick", "ours"));
            series.fail(0, "quick", "exit status 1".into());
        }
        assert!(!series.is_worth_a_run(0, "quick", "ours"));
    }
}
