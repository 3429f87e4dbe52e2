//! `conformance`: runs our own suite and those of others against an installed prefix.
//!
//! [`source`] fetches a suite's source into the cache, [`mpich`] builds one and runs it by its own lists ([`testlist`]),
//! [`examples`] are the programs that came with it, [`known`] is what is known to fail. The report has one form for all
//! (`mpi_suite::report`).

mod examples;
mod known;
mod mpich;
mod source;
mod testlist;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use mpi_suite::report::{Counts, Report};
use mpi_suite::{Mpi, suite};
use regex::Regex;

use crate::install;
use crate::repo::Repo;

#[derive(clap::Args)]
pub struct Args {
    /// Whose suite
    #[arg(long, value_enum)]
    suite: Suite,
    /// Only these directories (chapters) of it
    #[arg(long, value_delimiter = ',', value_name = "DIR,…")]
    dirs: Vec<String>,
    /// Only the tests whose `dir/name` matches
    #[arg(long, value_name = "RE")]
    filter: Option<Regex>,
    /// The MPI under test; without it, this clone is built and installed into target/prefix
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Cargo profile for building this clone
    #[arg(long, default_value = install::QUICK, value_name = "NAME")]
    profile: String,
    /// How many tests run at once
    #[arg(long, default_value_t = 1, value_name = "N")]
    jobs: usize,
    /// No test may take longer, whatever its list says
    #[arg(long, value_name = "SECONDS")]
    limit: Option<u64>,
    /// Say what passes, too
    #[arg(long, short)]
    verbose: bool,
    /// Write a report (JSON)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Run over one device (one is built so far: smp)
    #[arg(long, value_name = "NAME")]
    device: Option<String>,
    /// Run on N virtual hosts (not built yet)
    #[arg(long, value_name = "N")]
    cluster: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// Our own C programs (tests/mpi-suite)
    Own,
    /// MPICH's test suite and its example programs (the directory `examples`)
    Mpich,
    /// mpi4py's tests (not built yet)
    Mpi4py,
    /// rsmpi's tests (not built yet)
    Rsmpi,
    /// Applications (not built yet)
    Apps,
}

/// The counts are the last line of all output; a failed test shows in the exit status.
pub fn run(args: &Args) -> Result<ExitCode> {
    check(args)?;
    let repo = Repo::find();
    let prefix = match &args.prefix {
        Some(prefix) => std::path::absolute(prefix)?,
        None => {
            install::install(&repo, &repo.prefix(), &args.profile)?;
            repo.prefix()
        }
    };
    let start = Instant::now();
    let report = match args.suite {
        Suite::Own => own(args, &prefix)?,
        Suite::Mpich => mpich::run(&mpich_options(args, &repo), &prefix)?,
        _ => unreachable!("checked above"),
    };
    if let Some(path) = &args.report {
        report.write(path)?;
    }
    print_table(&report);
    let counts = report.counts();
    println!("{:.0} s\n{counts}", start.elapsed().as_secs_f64());
    Ok(ExitCode::from(u8::from(counts.failed > 0)))
}

/// What is asked for and not there yet is an error, never silently ignored.
fn check(args: &Args) -> Result<()> {
    match args.suite {
        Suite::Own | Suite::Mpich => {}
        Suite::Mpi4py | Suite::Rsmpi | Suite::Apps => {
            bail!("this suite is not built yet; there are `own` and `mpich` (see docs/roadmap.md)")
        }
    }
    if args.device.as_ref().is_some_and(|device| device != "smp") {
        bail!("the only device so far is smp (see docs/roadmap.md)");
    }
    if args.cluster.is_some() {
        bail!("`--cluster` is not built yet: jobs run on this machine only (see docs/roadmap.md)");
    }
    if args.jobs == 0 {
        bail!("--jobs 0 would run nothing");
    }
    Ok(())
}

fn own(args: &Args, prefix: &Path) -> Result<Report> {
    let mut options = suite::Options::new(Mpi::installed(prefix));
    options.filter = args.filter.clone();
    options.chapters = args.dirs.clone();
    options.verbose = args.verbose;
    suite::run(&options)
}

/// The core of MPICH's suite and its examples on what is installed in the clone's own prefix; what is known to fail may.
pub fn mpich_gate(repo: &Repo) -> Result<Counts> {
    let mut dirs: Vec<String> = mpich::CORE.iter().map(|dir| dir.to_string()).collect();
    dirs.push(examples::DIR.into());
    let kept = repo.target.join("conformance/mpich");
    let options = mpich::Options { dirs: &dirs, filter: None, jobs: 1, limit: Some(120), verbose: false, kept };
    let mut report = mpich::run(&options, &repo.prefix())?;
    known::Known::load()?.judge(&mut report);
    print_table(&report);
    Ok(report.counts())
}

fn mpich_options<'a>(args: &'a Args, repo: &Repo) -> mpich::Options<'a> {
    mpich::Options {
        dirs: &args.dirs,
        filter: args.filter.as_ref(),
        jobs: args.jobs,
        limit: args.limit,
        verbose: args.verbose,
        kept: repo.target.join("conformance/mpich"),
    }
}

fn print_table(report: &Report) {
    println!("\n{} {}", report.suite, report.version);
    println!("{:<16} {:>6} {:>6} {:>6} {:>6} {:>9} {:>8}", "directory", "listed", "pass", "fail", "skip", "excluded", "seconds");
    for dir in &report.dirs {
        println!(
            "{:<16} {:>6} {:>6} {:>6} {:>6} {:>9} {:>8.1}",
            dir.dir,
            dir.listed,
            dir.pass,
            dir.fail.len(),
            dir.skip.len(),
            dir.excluded.len(),
            dir.seconds
        );
    }
}
