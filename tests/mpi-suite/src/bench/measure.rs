//! Runs the programs, in rounds that interleave all MPIs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::build;
use super::peers::Peer;
use super::plan::{How, PROGRAMS, Program, When};
use super::series::{Line, Series, position};
use super::stats::median;
use super::{Options, jobs};
use crate::Mpi;
use crate::run::{self, Ended, Job};

/// An MPI in one of its settings.
#[derive(Clone, Debug)]
pub struct Contender {
    pub mpi: Mpi,
    pub family: String,
    /// `None`: ours, everywhere.
    when: Option<Vec<When>>,
}

impl Contender {
    pub fn ours(mpi: &Mpi) -> Contender {
        Contender { mpi: mpi.clone(), family: mpi.name.clone(), when: None }
    }

    pub fn peer(peer: &Peer) -> Contender {
        Contender { mpi: peer.mpi.clone(), family: peer.family.clone(), when: Some(peer.when.clone()) }
    }

    pub fn takes_part(&self, program: &Program) -> bool {
        self.when.as_ref().is_none_or(|when| when.contains(&program.when))
    }
}

/// How a job was launched, and what for.
pub struct Setting<'a> {
    pub contender: &'a Contender,
    pub program: &'a Program,
    pub binary: &'a Path,
    pub hog: &'a Path,
    pub work_dir: &'a Path,
}

/// Runs every program under every MPI once per round. The order of the MPIs rotates, so that none is always first.
pub fn rounds(all: &[Contender], options: &Options) -> Result<Series> {
    let programs = PROGRAMS.iter().filter(|program| (program.when == When::Net) == options.net.is_some());
    let programs: Vec<&Program> = programs.filter(|program| program.is_wanted(options.filter.as_ref())).collect();
    ensure!(!programs.is_empty() || options.fm.is_some(), "no benchmark matches");
    let built = build::all(all, &programs, &options.work_dir)?;
    let ours = &options.ours.name;
    let mut series = Series::default();
    let start = Instant::now();
    for round in 0..options.rounds {
        println!("round {} of {}, {:.0} s so far", round + 1, options.rounds, start.elapsed().as_secs_f64());
        match &options.net {
            Some(hosts) => series.add_floor(round, hosts.floor(&built.tcp)?),
            None => measure_floor(&built.floor, options.fm.as_ref(), round, &mut series)?,
        }
        for program in &programs {
            let index = position(program);
            for turn in 0..all.len() {
                let contender = &all[(turn + round) % all.len()];
                if !contender.takes_part(program) || !series.is_worth_a_run(index, &contender.mpi.name, ours) {
                    continue;
                }
                let binary = built.program(contender, program);
                let setting = Setting { contender, program, binary, hog: &built.hog, work_dir: &options.work_dir };
                one_run(&setting, round, options, &mut series)?;
            }
        }
    }
    println!("{:.0} s", start.elapsed().as_secs_f64());
    Ok(series)
}

fn one_run(setting: &Setting, round: usize, options: &Options, series: &mut Series) -> Result<()> {
    let (program, name) = (setting.program, &setting.contender.mpi.name);
    let index = position(program);
    let start = Instant::now();
    let done = match program.how {
        How::Cells => jobs::cells(setting)?,
        How::Wall { launches } => wall(setting, launches)?,
        How::CellsAndWall => {
            let mut done = jobs::cells(setting)?;
            let whole = done.failure.is_none();
            done.lines.extend(whole.then(|| line(program, program.tests[0], "s", done.seconds)));
            done
        }
        How::BesideHog => jobs::beside_hog(setting)?,
        How::Jobs => jobs::together(setting)?,
    };
    let key = (index, name.clone());
    let runs = series.runs.get(&key).map_or(0, |run| run.0) + 1;
    series.runs.insert(key, (runs, start.elapsed().as_secs_f64()));
    if let Some(why) = done.failure {
        println!("{} under {name}: {why}", program.name);
        series.fail(index, name, why);
    }
    for line in done.lines {
        if line.value.is_finite() && line.value > 0.0 {
            if program.is_cell_wanted(options.filter.as_ref(), &line.test, line.bytes) {
                series.add(index, name, round, line);
            }
        } else {
            series.fail(index, name, format!("{} {} for {}/{}", line.value, line.unit, line.test, line.bytes));
        }
    }
    Ok(())
}

/// What came of a run. Cells that were printed before it failed count.
pub struct Done {
    pub lines: Vec<Line>,
    pub failure: Option<String>,
    /// From the launch to the end, of a single job.
    pub seconds: f64,
}

pub fn line(program: &Program, test: &str, unit: &str, value: f64) -> Line {
    Line { test: test.into(), ranks: program.ranks, bytes: 0, unit: unit.into(), value }
}

fn wall(setting: &Setting, launches: usize) -> Result<Done> {
    let mut seconds = Vec::new();
    for _ in 0..launches {
        let ended = launch(setting, setting.program.args, "run")?;
        if let Some(why) = failure(&ended) {
            return Ok(Done { lines: Vec::new(), failure: Some(why), seconds: ended.seconds });
        }
        seconds.push(ended.seconds);
    }
    let seconds = median(&seconds);
    let line = line(setting.program, setting.program.tests[0], "s", seconds);
    Ok(Done { lines: vec![line], failure: None, seconds })
}

/// Launches a job of the program; `stem` names its kept output.
pub fn launch(setting: &Setting, args: &[&str], stem: &str) -> Result<Ended> {
    let args: Vec<String> = args.iter().map(|&arg| arg.to_owned()).collect();
    let limit = Duration::from_secs(setting.program.limit_s);
    let (program, ranks) = (setting.binary, setting.program.ranks);
    let job = Job { program, ranks, args: &args, env: Vec::new(), preload: None, dir: None, stdin: None, limit };
    let stem = setting.work_dir.join("bench").join(stem);
    run::launch(&setting.contender.mpi, &job, &stem)
}

/// Why it did not end well, in a line.
pub fn failure(ended: &Ended) -> Option<String> {
    let Some(status) = ended.status else { return Some(format!("ended after {:.0} s", ended.seconds)) };
    if status.success() {
        return None;
    }
    let said = ended.stderr.lines().find(|line| line.chars().any(char::is_alphanumeric)).unwrap_or_default();
    let why = format!("{status}: {}", said.trim());
    Some(why.trim_end_matches(": ").to_owned())
}

fn measure_floor(floor: &Path, fm: Option<&PathBuf>, round: usize, series: &mut Series) -> Result<()> {
    let mut commands = vec![Command::new(floor)];
    if let Some(fm) = fm {
        let mut command = Command::new(fm);
        command.arg("--json");
        commands.push(command);
    }
    for mut command in commands {
        let done = command.output().with_context(|| format!("running {command:?}"))?;
        ensure!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim());
        let values: BTreeMap<String, f64> = serde_json::from_slice(&done.stdout).context("the floor's figures")?;
        series.add_floor(round, values);
    }
    Ok(())
}
