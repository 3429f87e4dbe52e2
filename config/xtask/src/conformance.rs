//! `conformance`: runs our own suite and those of others against an installed prefix.
//!
//! [`source`] fetches a suite's source into the cache, where each prefix has a [`place`] for building it. [`mpich`] runs one by its own
//! lists ([`testlist`]), [`examples`] are the programs that came with it, [`known`] is what is known to fail. [`mpi4py`] reads what
//! Python's test runner says ([`transcript`]), [`rsmpi`] runs another package's examples; what of them is not run is [`excluded`];
//! [`apps`] builds applications and has them check themselves.
//! The report has one form for all (`mpi_suite::report`).

mod apps;
mod examples;
mod excluded;
mod known;
mod mpi4py;
mod mpich;
mod place;
mod progress;
mod rsmpi;
mod source;
mod testlist;
mod transcript;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Result, bail};
use mpi_suite::report::{Counts, Report};
use mpi_suite::{Mpi, suite};
use regex::Regex;

use crate::cluster::{HOSTS_MAX, Hosts, Wanted};
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
    /// Run over these devices only (smp, ip, servernet, …)
    #[arg(long, value_name = "NAME,…")]
    device: Option<String>,
    /// Run on N virtual hosts, which get one rank each in turn; without --device messages take shared memory on a host and TCP between them; servernet gets two networks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(HOSTS_MAX)))]
    cluster: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Suite {
    /// Our own C programs (tests/mpi-suite)
    Own,
    /// MPICH's test suite and its example programs (the directory `examples`)
    Mpich,
    /// mpi4py's tests (the directories n1, n2, n4: numbers of ranks)
    Mpi4py,
    /// rsmpi's examples (the directories n1, n2, n3: numbers of ranks)
    Rsmpi,
    /// Applications, by their own checks (the directories fftw, hpcc, scotch)
    Apps,
}

/// What every suite wants to know.
pub struct Options<'a> {
    pub dirs: &'a [String],
    pub filter: Option<&'a Regex>,
    pub jobs: usize,
    pub limit: Option<u64>,
    pub verbose: bool,
    /// Where the output of failed runs stays.
    pub kept: PathBuf,
    /// For the launcher, before what a test asks for.
    pub launcher_args: Vec<OsString>,
}

impl Options<'_> {
    fn wants_dir(&self, name: &str) -> bool {
        self.dirs.is_empty() || self.dirs.iter().any(|dir| dir == name)
    }
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
    // Its device has two networks.
    let fabrics = if args.device.iter().flat_map(|list| list.split(',')).any(|name| name == "servernet") { 2 } else { 1 };
    let hosts = args.cluster.map(|hosts| Hosts::make(&repo, &Wanted { hosts, fabrics, slots: 1, daemons: false })).transpose()?;
    let launcher_args = launcher_args(args, hosts.as_ref());
    let start = Instant::now();
    let report = match args.suite {
        Suite::Own => own(args, &prefix, launcher_args)?,
        Suite::Mpich => mpich::run(&options(args, &repo, "mpich", launcher_args), &prefix)?,
        Suite::Mpi4py => mpi4py::run(&options(args, &repo, "mpi4py", launcher_args), &prefix)?,
        Suite::Rsmpi => rsmpi::run(&options(args, &repo, "rsmpi", launcher_args), &prefix)?,
        Suite::Apps => apps::run(&options(args, &repo, "apps", launcher_args), &prefix)?,
    };
    drop(hosts);
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
    if args.jobs == 0 {
        bail!("--jobs 0 would run nothing");
    }
    Ok(())
}

/// One rank to each host in turn, so that neighbours in rank are on different ones.
fn launcher_args(args: &Args, hosts: Option<&Hosts>) -> Vec<OsString> {
    let device = args.device.iter().flat_map(|device| ["--device".into(), device.into()]);
    let machines = hosts.iter().flat_map(|hosts| ["-m".into(), hosts.machines.clone().into(), "--map-by".into(), "node".into()]);
    device.chain(machines).collect()
}

fn own(args: &Args, prefix: &Path, launcher_args: Vec<OsString>) -> Result<Report> {
    let mut options = suite::Options::new(Mpi::installed(prefix));
    options.mpi.launcher_args = launcher_args;
    options.filter = args.filter.clone();
    options.chapters = args.dirs.clone();
    options.verbose = args.verbose;
    suite::run(&options)
}

/// The core of MPICH's suite, what beside it runs quickly, and its examples on what is installed in the clone's own prefix; what is known
/// to fail may.
pub fn mpich_gate(repo: &Repo) -> Result<Counts> {
    let dirs: Vec<String> = mpich::CORE.into_iter().chain(["errors", "part", examples::DIR]).map(String::from).collect();
    let kept = repo.target.join("conformance/mpich");
    let options = Options { dirs: &dirs, filter: None, jobs: 1, limit: Some(120), verbose: false, kept, launcher_args: Vec::new() };
    let mut report = mpich::run(&options, &repo.prefix())?;
    known::Known::load()?.judge(&mut report);
    print_table(&report);
    Ok(report.counts())
}

fn options<'a>(args: &'a Args, repo: &Repo, suite: &str, launcher_args: Vec<OsString>) -> Options<'a> {
    Options {
        dirs: &args.dirs,
        filter: args.filter.as_ref(),
        jobs: args.jobs,
        limit: args.limit,
        verbose: args.verbose,
        kept: repo.target.join("conformance").join(suite),
        launcher_args,
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
