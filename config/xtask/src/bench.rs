//! `bench`: our library beside others, in interleaved rounds on the same machine. The measuring is the suite's
//! (`mpi_suite::bench`); this builds what is measured, optimised across crates.

use std::path::PathBuf;

use anyhow::Result;
use mpi_suite::{Mpi, bench};
use regex::Regex;

use crate::cluster::Hosts;
use crate::repo::{self, Repo};
use crate::{exec, install};

#[derive(clap::Args)]
pub struct Args {
    /// Only these peers
    #[arg(long, value_delimiter = ',', value_name = "PEER,…")]
    against: Vec<String>,
    /// Only the programs (`crowded-8`) or cells (`latency/65536`) whose name matches; `layers` is Fast Messages without MPI
    #[arg(long, value_name = "RE")]
    filter: Option<Regex>,
    /// Fewer than 9 are too few to judge by
    #[arg(long, default_value_t = bench::ROUNDS_MIN, value_name = "N")]
    rounds: usize,
    /// The MPI to measure; without it, this clone is built and installed into target/prefix-release
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Write the cells (JSON), and beside it the tables (Markdown) and plots (SVG)
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Between two virtual hosts (`cargo xtask cluster`), which takes root; everything else is left out
    #[arg(long)]
    net: bool,
}

pub fn run(args: &Args) -> Result<()> {
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
    let is_wanted = !args.net && args.filter.as_ref().is_none_or(|filter| filter.is_match(LAYERS));
    let hosts = args.net.then(|| Hosts::up(&Repo::find(), 2, 1)).transpose()?;
    let table = bench::run(&bench::Options {
        ours: Mpi::installed(&prefix),
        against: args.against.clone(),
        filter: args.filter.clone(),
        rounds: args.rounds,
        fm: is_wanted.then(fm_alone).transpose()?,
        cache: repo::cache(),
        work_dir: mpi_suite::default_work_dir(),
        net: hosts.as_ref().map(between),
    })?;
    drop(hosts);
    if let Some(path) = &args.report {
        table.write(path)?;
    }
    Ok(())
}

/// Where the ranks run, as the suite is to know it.
fn between(hosts: &Hosts) -> bench::net::Hosts {
    let cluster = &hosts.cluster;
    bench::net::Hosts {
        ssh_config: cluster.ssh_config(),
        addresses: [cluster.address(1), cluster.address(2)],
        here: cluster.address_here(),
        interface: cluster.interface_here(),
        machines: hosts.machines.clone(),
    }
}

/// What a filter names to have Fast Messages measured without MPI. There is no cell of it: it goes with the floor.
const LAYERS: &str = "layers";

/// Builds the program that measures Fast Messages without MPI, as optimised as the library.
fn fm_alone() -> Result<PathBuf> {
    let repo = Repo::find();
    let mut command = exec::cargo();
    command.current_dir(&repo.root).args(["build", "--quiet", "--release", "--package=hpvm-smp", "--example=fm_bench"]);
    exec::loud(&mut command)?;
    Ok(repo.target.join("release/examples/fm_bench"))
}
