//! `fuzz`: runs the fuzz targets of `tests/fuzz` by libFuzzer, one after the other.
//!
//! The stable compiler counts coverage as well as any: the pass is part of it (`-C passes=sancov-module`). What is found lies in
//! `target/fuzz/found`, named by its target; the inputs that led further are kept in `target/fuzz/corpus`, and the next run begins with them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context as _, Result, bail};
use mpi_suite::report::Counts;

use crate::repo::Repo;
use crate::{exec, tools};

#[derive(clap::Args)]
pub struct Args {
    /// How much of a processor's time each target gets
    #[arg(long, default_value_t = 300, value_name = "N")]
    seconds: u64,
    /// These targets; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// What makes a fuzz target of a program, and lets libFuzzer see which way inputs go.
const FLAGS: &[&str] = &[
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// One input may take so many seconds, and the process so many MiB: more is a find.
const SECONDS_MAX: u32 = 60;
const MIB_MAX: u32 = 1024;

pub fn run(args: &Args) -> Result<ExitCode> {
    let counts = all(&Repo::find(), Length::Seconds(args.seconds), &args.targets)?;
    println!("\n{counts}");
    Ok(ExitCode::from(u8::from(counts.failed > 0)))
}

/// How long a target runs.
#[derive(Clone, Copy)]
pub enum Length {
    /// With inputs that differ from run to run: a search. So many seconds of a processor's time: on a machine that others use, or that stands still for a while,
    /// the clock's would be fewer.
    Seconds(u64),
    /// So many inputs, the same ones in each run: a test.
    Inputs(u64),
}

/// Builds the targets and runs those of these names, or all.
pub fn all(repo: &Repo, length: Length, names: &[String]) -> Result<Counts> {
    let fuzzer = Fuzzer::build(repo)?;
    let known = fuzzer.names()?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        bail!("there is no target {unknown}; there are: {}", known.join(", "));
    }
    let mut counts = Counts::default();
    for name in known.iter().filter(|name| names.is_empty() || names.contains(name)) {
        match fuzzer.run(name, length) {
            Ok(summary) => {
                counts.passed += 1;
                println!("ok    fuzz {name}: {summary}");
            }
            Err(why) => {
                counts.failed += 1;
                println!("FAIL  fuzz {name}: {why:#}");
            }
        }
    }
    Ok(counts)
}

struct Fuzzer {
    program: PathBuf,
    /// `target/fuzz`
    folder: PathBuf,
    root: PathBuf,
}

impl Fuzzer {
    fn build(repo: &Repo) -> Result<Fuzzer> {
        tools::need(&[tools::CXX])?;
        let folder = repo.target.join("fuzz");
        let host = host()?;
        let mut cargo = exec::cargo();
        // With a target named, build scripts and macros are built without the flags.
        cargo.current_dir(&repo.root).args(["build", "--quiet", "--package=hpvm-fuzz", "--profile=fuzz", "--target", &host, "--target-dir"]).arg(&folder);
        cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\x1f"));
        exec::loud(&mut cargo)?;
        Ok(Fuzzer { program: folder.join(host).join("fuzz/hpvm-fuzz"), folder, root: repo.root.clone() })
    }

    /// The program tells its targets when it is asked for none.
    fn names(&self) -> Result<Vec<String>> {
        let said = Command::new(&self.program).env_remove("HPVM_FUZZ_TARGET").stdin(Stdio::null()).output().context("cannot run the fuzz targets")?;
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        let names: Vec<String> = text.lines().filter_map(|line| line.split_once('\t')).map(|(name, _)| name.to_owned()).collect();
        if names.is_empty() {
            bail!("the fuzz targets do not say which they are:\n{}", String::from_utf8_lossy(&said.stderr));
        }
        Ok(names)
    }

    /// What it came to; or what was found, and how to repeat it.
    fn run(&self, name: &str, length: Length) -> Result<String> {
        let Length::Seconds(wanted) = length else { return self.round(name, length).map(|outcome| outcome.to_string()) };
        let (before, mut total) = (children_seconds()?, Outcome::default());
        loop {
            let used = children_seconds()? - before;
            // As many again as are left, by the clock; the last one is not worth a start.
            let left = wanted.saturating_sub(used as u64);
            if left == 0 {
                return Ok(format!("{total}, {used:.0} s"));
            }
            total.add(&self.round(name, Length::Seconds(left))?);
        }
    }

    /// Once: of seconds those of the clock.
    fn round(&self, name: &str, length: Length) -> Result<Outcome> {
        let (corpus, found) = (self.folder.join("corpus").join(name), self.folder.join("found"));
        fs::create_dir_all(&corpus)?;
        fs::create_dir_all(&found)?;
        let mut command = Command::new(&self.program);
        command.current_dir(&found).env("HPVM_FUZZ_TARGET", name).env("HPVM_FUZZ_SEEDS", &corpus).env("RUST_BACKTRACE", "0");
        match length {
            Length::Seconds(seconds) => command.arg(format!("-max_total_time={seconds}")),
            Length::Inputs(inputs) => command.args([format!("-runs={inputs}"), "-seed=1".to_owned()]),
        };
        command.arg(format!("-timeout={SECONDS_MAX}")).arg(format!("-rss_limit_mb={MIB_MAX}"));
        command.arg(format!("-artifact_prefix={}/{name}-", found.display())).args(["-print_final_stats=1", "-max_len=4096"]).arg(&corpus);
        let log = self.folder.join(format!("{name}.log"));
        let ended = exec::logged(&mut command, &log);
        let said = fs::read_to_string(&log).unwrap_or_default();
        if let Err(error) = ended {
            if self.machine_stood_still(name, &said) {
                return Ok(Outcome::read(&said));
            }
            bail!("{error:#}\n{}\n{}", tail(&said), self.how_to_repeat(name, &said));
        }
        Ok(Outcome::read(&said))
    }

    /// Whether an input took too long by the clock, and takes no time by itself.
    fn machine_stood_still(&self, name: &str, said: &str) -> bool {
        let Some(input) = written(said).filter(|_| said.contains("ERROR: libFuzzer: timeout")) else { return false };
        let mut command = Command::new(&self.program);
        command.env("HPVM_FUZZ_TARGET", name).arg(format!("-timeout={SECONDS_MAX}")).arg(input).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }

    fn how_to_repeat(&self, name: &str, said: &str) -> String {
        match written(said) {
            Some(file) => {
                let file = file.strip_prefix(&self.root).unwrap_or(file);
                format!("repeat it with: cargo run -p hpvm-fuzz -- {name} {}", file.display())
            }
            None => "no input was written down".into(),
        }
    }
}

/// The file with the input that was found.
fn written(said: &str) -> Option<&Path> {
    said.lines().find_map(|line| line.split_once("Test unit written to ")).map(|(_, file)| Path::new(file))
}

/// The machine that cargo builds for, as rustc calls it.
fn host() -> Result<String> {
    let said = exec::quiet(Command::new("rustc").arg("-vV"))?;
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.context("rustc does not say what it builds for")?.to_owned())
}

/// What a target has come to.
#[derive(Default, Debug, PartialEq, Eq)]
struct Outcome {
    inputs: u64,
    /// Places of the program.
    reached: u64,
}

impl Outcome {
    /// What libFuzzer says at its end, and in its last line about the coverage.
    fn read(said: &str) -> Self {
        let inputs = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok());
        let covered = |line: &str| line.split("cov: ").nth(1)?.split_whitespace().next()?.parse().ok();
        Self { inputs: inputs.unwrap_or(0), reached: said.lines().rev().find_map(covered).unwrap_or(0) }
    }

    /// The next round began with what this one has kept.
    fn add(&mut self, next: &Self) {
        self.inputs += next.inputs;
        self.reached = self.reached.max(next.reached);
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} inputs, {} places reached", self.inputs, self.reached)
    }
}

/// Of a processor's time, what children of this process had that have ended. The kernel counts it in hundredths.
fn children_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").context("/proc/self/stat has no name")?;
    let ticks: Vec<u64> = fields.split_whitespace().skip(13).take(2).map_while(|field| field.parse().ok()).collect();
    if ticks.len() != 2 {
        bail!("/proc/self/stat does not say what this process's children used");
    }
    Ok(ticks.iter().sum::<u64>() as f64 / 100.0)
}

/// What a person wants to read: from the panic's words on.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let from = lines.iter().position(|line| line.contains("panicked at") || line.contains("ERROR: libFuzzer")).unwrap_or(lines.len().saturating_sub(8));
    lines[from..].iter().take(8).copied().collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_is_read() {
        let said = "INFO: Seed: 5\n#2\tINITED cov: 32 ft: 32 corp: 1/1b exec/s: 0\n#9\tDONE   cov: 38 ft: 40 corp: 3/9b\nDone 9 runs in 1 second(s)\nstat::number_of_executed_units: 2600924\n";
        let mut outcome = Outcome::read(said);
        assert_eq!(outcome, Outcome { inputs: 2_600_924, reached: 38 });
        outcome.add(&Outcome { inputs: 76, reached: 39 });
        assert_eq!(outcome.to_string(), "2601000 inputs, 39 places reached");
        let found = "#5 NEW cov: 3\nthread '<unnamed>' panicked at fm/src/claims.rs:150:37:\nattempt to divide by zero\n==7== ERROR: libFuzzer: deadly signal\n";
        assert!(tail(found).starts_with("thread '<unnamed>' panicked at fm/src/claims.rs:150:37:\nattempt to divide by zero"));
    }

    #[test]
    fn time_is_counted_as_processors_have_it() {
        let before = children_seconds().unwrap();
        let worked = Command::new("sh").args(["-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"]).status().unwrap();
        assert!(worked.success() && children_seconds().unwrap() > before);
    }
}
