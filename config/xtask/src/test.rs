//! `test`: everything that has to hold before a change goes in. Steps run one after the other, each counts what passed
//! and failed, and the last line is their sum.

mod callgrind;
mod cuts;
mod debuggers;
mod examples;
mod faults;
mod instructions;
mod launchers;
mod machines;
mod projects;
mod symbols;
mod system;
mod tuning;

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Result, bail};
use mpi_suite::report::Counts;
use regex::Regex;
use mpi_suite::{Mpi, checks, suite};

use crate::repo::Repo;
use crate::tools::{self, VALGRIND};
use crate::{conformance, exec, fuzz, install};

#[derive(clap::Args)]
pub struct Args {
    /// Also the suites of others that have to stay green; takes longer and downloads their sources
    #[arg(long)]
    all: bool,
    /// Only these steps
    #[arg(long, value_delimiter = ',', value_enum, value_name = "STEP,…")]
    only: Vec<Name>,
    #[command(flatten)]
    faults: faults::Choice,
    #[command(flatten)]
    cuts: cuts::Choice,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
enum Name {
    /// Unit, property, integration, simulation and tidy tests of all packages
    Cargo,
    /// Made-up inputs for every parser, for a moment each; `cargo xtask fuzz` takes its time
    Fuzz,
    /// The exported symbols of the installed libraries
    Symbols,
    /// docs/examples
    Examples,
    /// Our C programs, launched
    Suite,
    /// Those of our C programs that the manifest marks for it, simulated at many seeds
    Sim,
    /// What takes more than one run to show: the messages of Fast Messages, jobs that are killed
    Checks,
    /// Jobs on several hosts to which something happens
    Faults,
    /// A job on two networks, of which one is cut now and then
    Cuts,
    /// Jobs on hosts of two networks
    Machines,
    /// An hpvmd --system for several users
    System,
    /// Programs of ours under the launchers of others
    Launchers,
    /// gdb, and jobs that it looks at
    Debuggers,
    /// Build systems that look for an MPI
    Projects,
    /// Tables of thresholds
    Tuning,
    /// Instruction counts against those noted
    Instructions,
    /// The core of MPICH's suite
    Mpich,
}

struct Step {
    name: Name,
    run: fn(&Repo, &Args) -> Result<Counts>,
    /// Only with `--all`, or by name.
    slow: bool,
}

const STEPS: &[Step] = &[
    Step { name: Name::Cargo, run: |repo, _| cargo_tests(repo), slow: false },
    Step { name: Name::Fuzz, run: |repo, _| fuzz::all(repo, fuzz::Length::Inputs(FUZZ_INPUTS), &[]), slow: false },
    Step { name: Name::Symbols, run: |repo, _| symbols::run(repo), slow: false },
    Step { name: Name::Examples, run: |repo, _| examples::run(repo), slow: false },
    Step { name: Name::Suite, run: |repo, _| own_suite(repo), slow: false },
    Step { name: Name::Sim, run: |repo, _| sim(repo), slow: false },
    Step { name: Name::Checks, run: |repo, _| checks(repo), slow: false },
    Step { name: Name::Faults, run: |repo, args| faults::run(repo, &args.faults), slow: false },
    Step { name: Name::Cuts, run: |repo, args| cuts::run(repo, &args.cuts, args.faults.seed()), slow: false },
    Step { name: Name::Machines, run: |repo, _| machines::run(repo), slow: false },
    Step { name: Name::System, run: |repo, _| system::run(repo), slow: false },
    Step { name: Name::Launchers, run: |repo, _| launchers::run(repo), slow: false },
    Step { name: Name::Debuggers, run: |repo, _| debuggers::run(repo), slow: false },
    Step { name: Name::Projects, run: |repo, _| projects::run(repo), slow: false },
    Step { name: Name::Tuning, run: |repo, _| tuning::run(repo), slow: false },
    Step { name: Name::Instructions, run: |repo, _| instructions::run(repo), slow: false },
    Step { name: Name::Mpich, run: |repo, _| conformance::mpich_gate(repo), slow: true },
];

/// For each target.
const FUZZ_INPUTS: u64 = 3000;

/// The sum is the last line of all output; a failed test shows in the exit status.
pub fn run(args: &Args) -> Result<ExitCode> {
    let repo = Repo::find();
    let mut sum = Counts::default();
    let mut installed = None;
    let install = || {
        let start = Instant::now();
        let result = install::install(&repo, &repo.prefix(), install::QUICK);
        println!("installed in {:.0} s", start.elapsed().as_secs_f64());
        result.inspect_err(|error| println!("FAIL  install: {error:#}")).is_ok()
    };
    let by_default = |step: &Step| args.only.is_empty() && (args.all || !step.slow);
    for step in STEPS.iter().filter(|step| by_default(step) || args.only.contains(&step.name)) {
        let start = Instant::now();
        let name = format!("{:?}", step.name).to_lowercase();
        println!("\n== {name}");
        // What the installed library is needed for cannot pass without it; it fails by name rather than being left out.
        let ready = [Name::Cargo, Name::Fuzz, Name::Sim, Name::Instructions].contains(&step.name)
            || *installed.get_or_insert_with(install);
        let result = if ready { (step.run)(&repo, args) } else { Err(anyhow::anyhow!("nothing is installed")) };
        let counts = result.unwrap_or_else(|error| {
            println!("FAIL  {name}: {error:#}");
            Counts { failed: 1, ..Counts::default() }
        });
        println!("{name}: {counts} in {:.0} s", start.elapsed().as_secs_f64());
        add(&mut sum, counts);
    }
    println!("\n{sum}");
    Ok(ExitCode::from(u8::from(sum.failed > 0)))
}

fn add(sum: &mut Counts, more: Counts) {
    sum.passed += more.passed;
    sum.failed += more.failed;
    sum.skipped += more.skipped;
}

/// One check: its name, and why it failed if it did. Prints and counts it.
fn check(counts: &mut Counts, name: &str, result: Result<()>) {
    match result {
        Ok(()) => {
            counts.passed += 1;
            println!("ok    {name}");
        }
        Err(why) => {
            counts.failed += 1;
            println!("FAIL  {name}: {why:#}");
        }
    }
}

fn own_suite(repo: &Repo) -> Result<Counts> {
    Ok(suite::run(&suite::Options::new(Mpi::installed(&repo.prefix())))?.counts())
}

/// Few seeds here, since the simulator's use is to be run at many: `cargo run -p mpi-sim -- --suite --seeds 1000`.
fn sim(repo: &Repo) -> Result<Counts> {
    let mut counts = Counts::default();
    for (what, options) in [("delays", &["--seeds=5"][..]), ("faults", &["--seeds=2", "--faults"]), ("crashes", &["--crash"])] {
        println!("{what}:");
        add(&mut counts, simulate(repo, options)?);
    }
    Ok(counts)
}

fn simulate(repo: &Repo, options: &[&str]) -> Result<Counts> {
    let profile = format!("--profile={}", install::QUICK);
    let mut command = exec::cargo();
    command.current_dir(&repo.root).args(["run", "--quiet", &profile, "--package=mpi-sim", "--", "--suite"]).args(options);
    let mut counts = None;
    let success = each_line(&mut command, |line| {
        counts = parse_counts(line).or(counts);
        parse_counts(line).is_none()
    })?;
    match counts {
        Some(counts) if success == (counts.failed == 0) => Ok(counts),
        _ => bail!("{} did not come to its end", exec::shown(&command)),
    }
}

fn checks(repo: &Repo) -> Result<Counts> {
    const KILL_ROUNDS: u32 = 25;
    let mpi = Mpi::installed(&repo.prefix());
    let mut counts = checks::fm_counts(&mpi)?;
    // A seed of its own for each run: rounds that were never tried find more than the same ones again.
    let seed = std::time::UNIX_EPOCH.elapsed()?.as_secs();
    add(&mut counts, checks::kill_rounds(&mpi, KILL_ROUNDS, seed, false, false)?);
    add(&mut counts, checks::rust_client(&mpi)?);
    println!("under valgrind:");
    add(&mut counts, memory_checks(&mpi)?);
    Ok(counts)
}

/// Programs whose messages go all ways there are, under a memory checker. The whole suite takes too long there (docs/building.md).
fn memory_checks(mpi: &Mpi) -> Result<Counts> {
    tools::need(&[VALGRIND])?;
    let mut options = suite::Options::new(mpi.clone());
    let valgrind = ["valgrind", "-q", "--error-exitcode=99", "--leak-check=no", "--fair-sched=yes"];
    options.mpi.wrapper = valgrind.map(OsString::from).into();
    options.filter = Some(Regex::new(r"^(p2p/(ssend|probe)|datatype/basic|leaks/comms)\b")?);
    (options.ranks, options.slowness) = (vec![2], 20.0);
    Ok(suite::run(&options)?.counts())
}

fn cargo_tests(repo: &Repo) -> Result<Counts> {
    // Loaded at run time: without it those tests pass without having looked.
    let missing = tools::need_libraries(&[tools::FABRIC]).err();
    let mut counts = cargo_test(repo, &["--workspace"])?;
    if let Some(missing) = missing {
        println!("skip  devices/via: {missing:#}");
        counts.skipped += 1;
    }
    Ok(counts)
}

/// Runs `cargo test` with these arguments; its summary lines are added up.
fn cargo_test(repo: &Repo, args: &[&str]) -> Result<Counts> {
    let mut command = exec::cargo();
    command.current_dir(&repo.root).args(["test", "--no-fail-fast"]).args(args).args(["--", "--quiet"]);
    command.env("RUST_BACKTRACE", "0");
    let mut counts = Counts::default();
    let success = each_line(&mut command, |line| {
        let summary = line.strip_prefix("test result: ");
        add(&mut counts, summary.map(parse_summary).unwrap_or_default());
        // What passes is in the counts; what fails is worth reading.
        let dots = line.trim_end_matches(|c: char| c.is_ascii_digit() || c == '/' || c == ' ');
        !(dots.chars().all(|c| c == '.') || line.starts_with("running ") || line.starts_with("test result: ok"))
    })?;
    // A package that does not compile, or a test program that was killed, prints no summary.
    if !success && counts.failed == 0 {
        bail!("{} failed", exec::shown(&command));
    }
    Ok(counts)
}

/// `ok. 3 passed; 0 failed; 1 ignored; …`
fn parse_summary(text: &str) -> Counts {
    let number = |what: &str| {
        let before = text.split(&[';', '.'][..]).find_map(|part| part.trim().strip_suffix(what));
        before.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
    };
    Counts { passed: number("passed"), failed: number("failed"), skipped: number("ignored") }
}

/// `3 passed, 0 failed, 1 skipped`, alone on its line.
fn parse_counts(line: &str) -> Option<Counts> {
    let mut parts = line.split(", ");
    let mut number = |what: &str| parts.next()?.strip_suffix(what)?.trim_end().parse().ok();
    Some(Counts { passed: number("passed")?, failed: number("failed")?, skipped: number("skipped")? })
}

/// Passes on those lines of a program's output that `look` wants, as they come. Returns whether the program succeeded.
fn each_line(command: &mut Command, mut look: impl FnMut(&str) -> bool) -> Result<bool> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut output = BufReader::new(child.stdout.take().expect("standard output is piped"));
    let mut line = Vec::new();
    while output.read_until(b'\n', &mut line)? > 0 {
        if look(String::from_utf8_lossy(&line).trim_end()) {
            std::io::stdout().write_all(&line)?;
        }
        line.clear();
    }
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_read() {
        let counts = parse_summary("FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 9 filtered out; finished in 0.00s");
        assert_eq!(counts, Counts { passed: 3, failed: 2, skipped: 1 });
        assert_eq!(parse_counts("3 passed, 2 failed, 1 skipped"), Some(counts));
        assert_eq!(parse_counts(&counts.to_string()), Some(counts));
        assert_eq!(parse_counts("3 passed, 2 failed"), None);
    }
}
