//! One program at one seed, in a child process; and many of them.

use crate::program::Object;
use crate::sys::{self, Ended};
use crate::world;
use anyhow::{Context, Result};
use std::collections::HashMap;
use std::fs::File;
use std::time::Duration;

/// What to run.
#[derive(Clone, PartialEq)]
pub struct Plan {
    /// Of the suite; empty for any other program.
    pub name: String,
    pub object: Object,
    /// The program and its arguments, as somebody would type them.
    pub shown: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    pub flags: Vec<String>,
    pub ranks: u32,
    pub seed: u64,
    pub trouble: Trouble,
    pub limit_s: u32,
}

/// What goes wrong besides delays, at places and times that the seed decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, clap::Args)]
pub struct Trouble {
    /// The network loses, repeats, reorders and garbles packets, and is in two halves at times
    #[arg(long)]
    pub faults: bool,
    /// One rank dies; the others go on for a while, then the job ends
    #[arg(long)]
    pub crash: bool,
}

impl Trouble {
    fn options(self) -> String {
        [(self.faults, " --faults"), (self.crash, " --crash")].iter().filter(|(set, _)| *set).map(|(_, option)| *option).collect()
    }
}

impl Plan {
    /// The command that runs it again.
    pub fn replay(&self) -> String {
        let env: String = self.env.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        let flags: String = self.flags.iter().map(|flag| format!(" --cflag='{flag}'")).collect();
        let trouble = self.trouble.options();
        format!("{env}cargo run -p mpi-sim --{flags}{trouble} --ranks {} --seed {} {}", self.ranks, self.seed, self.shown)
    }
}

/// How it went.
pub struct Outcome {
    pub ended: Ended,
    pub output: String,
    /// Processor time.
    pub took: Duration,
}

impl Outcome {
    /// What went wrong, if anything did.
    pub fn failure(&self) -> Option<String> {
        match self.ended {
            Ended::Status(0) => None,
            Ended::Status(status) => Some(format!("exit status {status}")),
            Ended::Signal(libc::SIGXCPU) => Some("took too long".into()),
            Ended::Signal(signal) => Some(format!("killed by signal {signal}")),
        }
    }
}

/// Runs all plans, `jobs` at a time, and hands each outcome to `look` as it comes. A plan is drawn when it can start.
pub fn run_all(plans: impl IntoIterator<Item = Plan>, jobs: usize, mut look: impl FnMut(&Plan, Outcome)) -> Result<()> {
    let mut running: HashMap<libc::pid_t, (Plan, File)> = HashMap::new();
    let mut waiting = plans.into_iter();
    loop {
        while running.len() < jobs.max(1)
            && let Some(plan) = waiting.next()
        {
            let output = sys::nameless_file()?;
            let child = sys::in_child(&output, plan.limit_s, || simulate(&plan)).context("starting a run")?;
            running.insert(child, (plan, output));
        }
        if running.is_empty() {
            return Ok(());
        }
        let (child, ended, took) = sys::wait_any().context("waiting for a run")?;
        if let Some((plan, output)) = running.remove(&child) {
            look(&plan, Outcome { ended, output: sys::contents(output)?, took });
        }
    }
}

/// The child's work: returns its exit status.
fn simulate(plan: &Plan) -> i32 {
    for (name, value) in &plan.env {
        // SAFETY: the child has one thread.
        unsafe { std::env::set_var(name, value) };
    }
    match world::run(plan) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("mpi-sim: {error:#}");
            125
        }
    }
}
