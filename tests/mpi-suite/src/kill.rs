//! Rounds of killing: however a job dies, it leaves nothing behind.
//!
//! Each round starts a job of one kind, waits a random moment, kills one or two of its processes with SIGKILL (the
//! launcher, a keeper, a rank), and then wants everything gone: every process that the job ever had, zombies included,
//! and what it may have put into shared memory, /tmp or System V IPC. The seed decides all but the scheduler's part; a
//! failing round is named by seed and number.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::leftovers::{MARK, Machine, Process, marked};
use crate::lots::Lots;
use crate::{Mpi, sys};

/// How long everything may take to be gone.
const GRACE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Options<'a> {
    pub mpi: &'a Mpi,
    /// kill/busy.c, compiled.
    pub program: &'a Path,
    pub rounds: u32,
    pub seed: u64,
    /// Nothing else runs on this machine: whatever is new is ours, also where nothing says whose it is.
    pub strict: bool,
    pub verbose: bool,
}

/// What is launched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    /// `bash -c PROGRAM`: the rank is a child of what was launched.
    Shell,
    Fork,
    SetSid,
}

const KINDS: [Kind; 4] = [Kind::Plain, Kind::Shell, Kind::Fork, Kind::SetSid];

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Launcher,
    Keeper,
    Rank,
}

/// Each of them, and each pair; of launcher and keeper in both orders.
const VICTIMS: [&[Victim]; 9] = [
    &[Victim::Launcher],
    &[Victim::Keeper],
    &[Victim::Rank],
    &[Victim::Launcher, Victim::Keeper],
    &[Victim::Keeper, Victim::Launcher],
    &[Victim::Keeper, Victim::Keeper],
    &[Victim::Keeper, Victim::Rank],
    &[Victim::Launcher, Victim::Rank],
    &[Victim::Rank, Victim::Rank],
];

/// Runs the rounds. What was left, one entry per bad round.
pub fn rounds(options: &Options) -> Result<Vec<String>> {
    let mut lots = Lots::of(options.seed);
    let mut bad = Vec::new();
    let before = Machine::look()?;
    for round in 0..options.rounds {
        let plan = Plan::draw(&mut lots);
        let name = format!("round {round} of seed {}: {plan:?}", options.seed);
        let left = one_round(options, &plan, &mut lots, round).with_context(|| name.clone())?;
        if options.verbose || !left.is_empty() {
            println!("{name}: {}", if left.is_empty() { "nothing left".into() } else { left.join(", ") });
        }
        if !left.is_empty() {
            bad.push(format!("{name}: left {}", left.join(", ")));
        }
    }
    let left = before.left_since(options.strict, GRACE)?;
    if !left.is_empty() {
        bad.push(format!("after {} rounds of seed {}: left {}", options.rounds, options.seed, left.join(", ")));
    }
    Ok(bad)
}

#[derive(Debug)]
struct Plan {
    kind: Kind,
    victims: &'static [Victim],
    ranks: usize,
    delay: Duration,
}

impl Plan {
    fn draw(lots: &mut Lots) -> Plan {
        // Half of the moments lie in the start-up, where most is going on.
        let milliseconds = if lots.below(2) == 0 { lots.below(40) } else { lots.below(300) };
        Plan {
            kind: KINDS[lots.below(KINDS.len() as u64) as usize],
            victims: VICTIMS[lots.below(VICTIMS.len() as u64) as usize],
            ranks: 1 + lots.below(4) as usize,
            delay: Duration::from_millis(milliseconds),
        }
    }
}

fn one_round(options: &Options, plan: &Plan, lots: &mut Lots, round: u32) -> Result<Vec<String>> {
    let mark = format!("kill-{}-{}-{round}", std::process::id(), options.seed);
    let mut launcher = command(options, plan)
        .env(MARK, &mark)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {}", options.mpi.mpirun.display()))?;
    std::thread::sleep(plan.delay);
    let mut seen = BTreeSet::new();
    // Whether the job has to end by itself now.
    let mut doomed = false;
    for (nth, &victim) in plan.victims.iter().enumerate() {
        let processes = marked(&mark);
        seen.extend(processes.iter().map(|process| process.pid));
        if let Some(pid) = choose(&launcher, &processes, &options.mpi.mpirun, victim, lots) {
            sys::kill(pid, libc::SIGKILL);
            // A shell may hide from the launcher that its child was killed before it was an MPI program.
            doomed |= victim != Victim::Rank || plan.kind != Kind::Shell;
        }
        if nth == 0 && lots.below(2) == 0 {
            std::thread::sleep(Duration::from_micros(lots.below(3000)));
        }
    }
    let mut left = Vec::new();
    let ended = wait(&mut launcher, if doomed { GRACE } else { Duration::from_millis(300) })?;
    if doomed && !ended {
        left.push("the launcher still running".into());
    }
    if !ended {
        // As a user would end it.
        sys::kill(launcher.id() as i32, libc::SIGTERM);
        if !wait(&mut launcher, GRACE)? {
            left.push("the launcher in spite of SIGTERM".into());
            launcher.kill()?;
            launcher.wait()?;
        }
    }
    left.extend(remaining(&mark, &seen));
    for process in marked(&mark) {
        sys::kill(process.pid, libc::SIGKILL);
    }
    Ok(left)
}

fn command(options: &Options, plan: &Plan) -> Command {
    let mut command = Command::new(&options.mpi.mpirun);
    command.arg("-n").arg(plan.ranks.to_string());
    let program = options.program;
    match plan.kind {
        Kind::Plain => command.arg(program).arg("plain"),
        // Two commands, so that the shell does not replace itself by the program.
        Kind::Shell => command.arg("bash").arg("-c").arg(format!("{} plain; true", program.display())),
        Kind::Fork => command.arg(program).arg("fork"),
        Kind::SetSid => command.arg(program).arg("setsid"),
    };
    command
}

fn choose(launcher: &Child, processes: &[Process], mpirun: &Path, victim: Victim, lots: &mut Lots) -> Option<i32> {
    let me = launcher.id() as i32;
    let of_launcher = |pid: i32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| same_file(&exe, mpirun));
    let candidates: Vec<i32> = match victim {
        Victim::Launcher => return Some(me),
        Victim::Keeper => processes.iter().map(|p| p.pid).filter(|&pid| pid != me && of_launcher(pid)).collect(),
        Victim::Rank => {
            // The children that ranks forked are no ranks, neither before they have become another program nor afterwards.
            let is_rank = |process: &&Process| {
                let parent = parent_of(process.pid).unwrap_or(0);
                let is_below_shell = || processes.iter().any(|p| p.pid == parent && p.command.starts_with("bash "));
                !process.command.starts_with("sleep ") && (of_launcher(parent) || is_below_shell())
            };
            let of_job = processes.iter().filter(is_rank);
            of_job.map(|process| process.pid).filter(|&pid| pid != me && !of_launcher(pid)).collect()
        }
    };
    (!candidates.is_empty()).then(|| candidates[lots.below(candidates.len() as u64) as usize])
}

fn same_file(a: &Path, b: &Path) -> bool {
    let name = |path: &Path| -> Option<PathBuf> { fs::canonicalize(path).ok() };
    name(a).is_some_and(|a| Some(a) == name(b))
}

/// Waits until every process of the job is gone; those that are not, in words.
fn remaining(mark: &str, seen: &BTreeSet<i32>) -> Vec<String> {
    let end = Instant::now() + GRACE;
    loop {
        let mut left: BTreeSet<i32> = marked(mark).into_iter().map(|process| process.pid).collect();
        // A zombie has no environment any more, but it has its number.
        left.extend(seen.iter().copied().filter(|pid| is_zombie(*pid)));
        if left.is_empty() || Instant::now() > end {
            return left.into_iter().map(describe).collect();
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A field of /proc/PID/stat, counted from the one behind the name.
fn stat_field(pid: i32, nth: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(nth).map(str::to_owned)
}

fn state_of(pid: i32) -> Option<char> {
    stat_field(pid, 0)?.chars().next()
}

fn parent_of(pid: i32) -> Option<i32> {
    stat_field(pid, 1)?.parse().ok()
}

fn is_zombie(pid: i32) -> bool {
    state_of(pid) == Some('Z')
}

fn describe(pid: i32) -> String {
    let command = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("process {pid} ({}, state {})", command.trim(), state_of(pid).unwrap_or('?'))
}

fn wait(child: &mut Child, limit: Duration) -> Result<bool> {
    let end = Instant::now() + limit;
    while child.try_wait().context("waiting for the launcher")?.is_none() {
        if Instant::now() > end {
            return Ok(false);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(true)
}

/// Refuses rounds that could not tell anything.
pub fn check(options: &Options) -> Result<()> {
    if !options.mpi.ours {
        bail!("only HPVM promises to leave nothing behind");
    }
    Ok(())
}
