//! `bench`: our library beside others, in interleaved rounds on the same machine. The measuring is the suite's
//! (`mpi_suite::bench`); this builds what is measured, optimised across crates.

use std::path::PathBuf;

use anyhow::{Result, bail};
use mpi_suite::{Mpi, bench};
use regex::Regex;

use crate::repo::{self, Repo};
use crate::install;

#[derive(clap::Args)]
pub struct Args {
    /// Only these peers
    #[arg(long, value_delimiter = ',', value_name = "PEER,…")]
    against: Vec<String>,
    /// Only the cells whose `test/bytes` matches
    #[arg(long, value_name = "RE")]
    filter: Option<Regex>,
    /// Fewer than 9 are too few to judge by
    #[arg(long, default_value_t = bench::ROUNDS_MIN, value_name = "N")]
    rounds: usize,
    /// The MPI to measure; without it, this clone is built and installed into target/prefix-release
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Write the cells (JSON)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Between hosts (not built yet)
    #[arg(long)]
    net: bool,
}

pub fn run(args: &Args) -> Result<()> {
    if args.net {
        bail!("`--net` is not built yet: jobs run on this machine only (see docs/roadmap.md)");
    }
    let prefix = match &args.prefix {
        Some(prefix) => std::path::absolute(prefix)?,
        None => {
            let repo = Repo::find();
            // Beside the prefix of the tests, which is built without optimisation across crates.
            let prefix = repo.target.join("prefix-release");
            install::install(&repo, &prefix, "release")?;
            prefix
        }
    };
    let table = bench::run(&bench::Options {
        ours: Mpi::installed(&prefix),
        against: args.against.clone(),
        filter: args.filter.clone(),
        rounds: args.rounds,
        cache: repo::cache(),
        work_dir: mpi_suite::default_work_dir(),
    })?;
    if let Some(path) = &args.report {
        table.write(path)?;
    }
    Ok(())
}
