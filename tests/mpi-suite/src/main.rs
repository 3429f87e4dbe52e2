//! `mpi-suite`: the suite from the command line. `cargo xtask conformance --suite own` calls the same library.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};
use mpi_suite::report::Counts;
use mpi_suite::{Mpi, bench, checks, suite};
use regex::Regex;

#[derive(Parser)]
#[command(about = "Runs the C suite against an installed MPI", version)]
struct Cli {
    #[command(subcommand)]
    command: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Compile and run the C programs of the manifest
    Run(RunArgs),
    /// Start jobs, kill parts of them, look for what is left
    Kill(KillArgs),
    /// Measure beside other MPIs
    Bench(BenchArgs),
    /// Build and run a Rust program on the mpi-sys crate
    RustClient(Installation),
    /// Compare the messages of Fast Messages with what the protocol says
    FmCounts(Installation),
}

#[derive(Args)]
struct BenchArgs {
    #[command(flatten)]
    installation: Installation,
    /// Only these families of peers
    #[arg(long, value_delimiter = ',')]
    against: Vec<String>,
    /// Only programs (`crowded-8`) or cells (`latency/8`) whose name matches
    #[arg(long)]
    filter: Option<Regex>,
    #[arg(long, default_value_t = bench::ROUNDS_MIN)]
    rounds: usize,
    #[arg(long)]
    report: Option<PathBuf>,
}

#[derive(Args)]
struct KillArgs {
    #[command(flatten)]
    installation: Installation,
    #[arg(long, default_value_t = 250)]
    rounds: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Nothing else runs on this machine
    #[arg(long)]
    strict: bool,
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Args)]
struct Installation {
    /// HPVM's prefix
    #[arg(long)]
    prefix: Option<PathBuf>,
    /// Another MPI instead: its name, with its mpicc, mpicxx and mpiexec on the PATH
    #[arg(long, conflicts_with = "prefix")]
    other: Option<String>,
}

#[derive(Args)]
struct RunArgs {
    #[command(flatten)]
    installation: Installation,
    /// Only runs whose name matches this regular expression
    #[arg(long)]
    filter: Option<Regex>,
    /// Only these chapters
    #[arg(long, value_delimiter = ',')]
    dirs: Vec<String>,
    /// Only runs with these numbers of ranks
    #[arg(long, value_delimiter = ',')]
    ranks: Vec<usize>,
    /// Include the long and large runs
    #[arg(long)]
    heavy: bool,
    /// Multiply every time limit by this
    #[arg(long, default_value_t = 1.0)]
    slowness: f64,
    /// What each rank's program runs under: "valgrind -q --error-exitcode=99"
    #[arg(long, default_value = "")]
    wrap: String,
    /// Say what passes, too
    #[arg(long, short)]
    verbose: bool,
    /// Write a report
    #[arg(long)]
    report: Option<PathBuf>,
    /// For compiled programs and kept output
    #[arg(long)]
    work_dir: Option<PathBuf>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Action::Run(args) => run(args),
        Action::Kill(args) => args.installation.mpi().and_then(|mpi| {
            let (seed, strict, verbose) = (args.seed, args.strict, args.verbose);
            verdict(checks::kill_rounds(&mpi, args.rounds, seed, strict, verbose)?)
        }),
        Action::Bench(args) => measure(args),
        Action::RustClient(installation) => {
            installation.mpi().and_then(|mpi| verdict(checks::rust_client(&mpi)?))
        }
        Action::FmCounts(installation) => {
            installation.mpi().and_then(|mpi| verdict(checks::fm_counts(&mpi)?))
        }
    };
    match result {
        Ok(code) => code,
        Err(error) => {
            eprintln!("mpi-suite: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run(args: RunArgs) -> Result<ExitCode> {
    let mut options = suite::Options::new(args.installation.mpi()?);
    options.filter = args.filter;
    options.chapters = args.dirs;
    options.ranks = args.ranks;
    options.heavy = args.heavy;
    options.slowness = args.slowness;
    options.mpi.wrapper = args.wrap.split_whitespace().map(Into::into).collect();
    options.verbose = args.verbose;
    if let Some(dir) = args.work_dir {
        options.work_dir = dir;
    }
    let report = suite::run(&options)?;
    if let Some(path) = args.report {
        report.write(&path)?;
    }
    verdict(report.counts())
}

fn measure(args: BenchArgs) -> Result<ExitCode> {
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home).context("neither XDG_CACHE_HOME nor HOME")?;
    let table = bench::run(&bench::Options {
        ours: args.installation.mpi()?,
        against: args.against,
        filter: args.filter,
        rounds: args.rounds,
        fm: None,
        cache: cache.join("hpvm"),
        work_dir: mpi_suite::default_work_dir(),
        net: None,
    })?;
    if let Some(path) = args.report {
        table.write(&path)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The last line, and the exit status that goes with it.
fn verdict(counts: Counts) -> Result<ExitCode> {
    println!("{counts}");
    Ok(ExitCode::from(u8::from(counts.failed > 0)))
}

impl Installation {
    fn mpi(&self) -> Result<Mpi> {
        match (&self.prefix, &self.other) {
            (Some(prefix), _) => Ok(Mpi::installed(&prefix.canonicalize()?)),
            (None, Some(name)) => Ok(Mpi::other(name, "mpicc".as_ref(), "mpicxx".as_ref(), "mpiexec".as_ref())),
            (None, None) => bail!("say --prefix DIR, or --other NAME"),
        }
    }
}
