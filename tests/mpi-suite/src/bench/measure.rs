//! Building and running the benchmark programs, in interleaved rounds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::Options;
use crate::run::{self, Job};
use crate::{Mpi, home};

/// The programs, and the tests each prints cells of.
const PROGRAMS: &[(&str, &[&str])] = &[
    ("latency", &["latency"]),
    ("bandwidth", &["bandwidth"]),
    ("bibw", &["bibw"]),
    ("rate", &["rate"]),
    ("collectives", &["barrier", "bcast", "allreduce", "alltoall", "allgather"]),
];

const RANKS: usize = 2;

/// One line of a program's output.
#[derive(Clone, Debug, Deserialize)]
struct Line {
    test: String,
    ranks: usize,
    bytes: u64,
    unit: String,
    value: f64,
}

/// What a cell is called.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The position of the program, so that cells keep its order.
    program: usize,
    position: usize,
    pub test: String,
    pub ranks: usize,
    pub bytes: u64,
    pub unit: String,
}

/// All values: by cell, by MPI, one per round.
#[derive(Debug, Default)]
pub struct Series {
    pub cells: BTreeMap<Key, BTreeMap<String, Vec<f64>>>,
    /// By what was measured, one per round.
    pub floor: BTreeMap<String, Vec<f64>>,
}

/// Runs every program under every MPI once per round. The order of the MPIs rotates, so that none is always first.
pub fn rounds(all: &[Mpi], options: &Options) -> Result<Series> {
    let programs: Vec<usize> = (0..PROGRAMS.len()).filter(|&program| is_wanted(program, options)).collect();
    ensure!(!programs.is_empty(), "no benchmark matches");
    let floor = build_floor(&options.work_dir)?;
    let mut built = BTreeMap::new();
    for mpi in all {
        for &program in &programs {
            built.insert((&mpi.name, program), build(mpi, PROGRAMS[program].0, &options.work_dir)?);
        }
    }
    let mut series = Series::default();
    for round in 0..options.rounds {
        println!("round {} of {}", round + 1, options.rounds);
        measure_floor(&floor, &mut series)?;
        for &program in &programs {
            for turn in 0..all.len() {
                let mpi = &all[(turn + round) % all.len()];
                let output = launch(mpi, &built[&(&mpi.name, program)], &options.work_dir)
                    .with_context(|| format!("{} under {}", PROGRAMS[program].0, mpi.name))?;
                series.add(program, &mpi.name, &output, options)?;
            }
        }
    }
    Ok(series)
}

impl Series {
    fn add(&mut self, program: usize, mpi: &str, output: &str, options: &Options) -> Result<()> {
        let lines = output.lines().filter(|line| line.starts_with('{'));
        for (position, line) in lines.enumerate() {
            let line: Line = serde_json::from_str(line).with_context(|| format!("from {mpi}: {line}"))?;
            if !options.filter.as_ref().is_none_or(|filter| filter.is_match(&format!("{}/{}", line.test, line.bytes))) {
                continue;
            }
            let Line { test, ranks, bytes, unit, value } = line;
            ensure!(value.is_finite() && value > 0.0, "{mpi} measured {value} {unit} for {test}/{bytes}");
            let key = Key { program, position, test, ranks, bytes, unit };
            self.cells.entry(key).or_default().entry(mpi.into()).or_default().push(value);
        }
        Ok(())
    }
}

/// A filter on sizes selects all programs; one that begins with a test's name only its own.
fn is_wanted(program: usize, options: &Options) -> bool {
    let Some(filter) = &options.filter else { return true };
    let sizes = (0..=22).map(|power| 1u64 << power).chain([0]);
    let mut names = sizes.flat_map(|bytes| PROGRAMS[program].1.iter().map(move |test| format!("{test}/{bytes}")));
    names.any(|name| filter.is_match(&name))
}

fn build(mpi: &Mpi, program: &str, work_dir: &Path) -> Result<PathBuf> {
    let source = home().join("bench").join(format!("{program}.c"));
    let dir = work_dir.join("bench");
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let output = dir.join(format!("{program}.{}", mpi.name));
    let mut command = Command::new(&mpi.mpicc);
    command.envs(mpi.env.iter().map(|(name, value)| (name, value)));
    compile(command.args(["-O2", "-std=gnu11"]), &source, &output)?;
    Ok(output)
}

fn build_floor(work_dir: &Path) -> Result<PathBuf> {
    let dir = work_dir.join("bench");
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let output = dir.join("floor");
    compile(Command::new("cc").args(["-O2", "-std=gnu11", "-pthread"]), &home().join("bench/floor.c"), &output)?;
    Ok(output)
}

fn compile(command: &mut Command, source: &Path, output: &Path) -> Result<()> {
    command.arg(source).arg("-o").arg(output);
    let done = command.output().with_context(|| format!("running {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?}: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

fn measure_floor(program: &Path, series: &mut Series) -> Result<()> {
    let done = Command::new(program).output().with_context(|| format!("running {}", program.display()))?;
    let values: BTreeMap<String, f64> = serde_json::from_slice(&done.stdout).context("the floor's figures")?;
    for (name, value) in values {
        series.floor.entry(name).or_default().push(value);
    }
    Ok(())
}

fn launch(mpi: &Mpi, program: &Path, work_dir: &Path) -> Result<String> {
    let limit = Duration::from_secs(180);
    let job = Job { program, ranks: RANKS, args: &[], env: Vec::new(), preload: None, dir: None, stdin: None, limit };
    let ended = run::launch(mpi, &job, &work_dir.join("bench/run"))?;
    match ended.status {
        Some(status) if status.success() => Ok(ended.stdout),
        Some(status) => bail!("{status}: {}", ended.stderr.trim()),
        None => bail!("still running after {} s: {}", limit.as_secs(), ended.stderr.trim()),
    }
}
