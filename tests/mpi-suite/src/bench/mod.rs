//! The benchmark: our MPI beside others on the same machine, in the same minutes.
//!
//! 1. [`peers`]: the others, installed from PyPI into the cache, with fixed versions and settings (`bench/peers.toml`).
//! 2. [`measure`]: the programs of `bench/`, built by each MPI's own `mpicc`, run in rounds that interleave all MPIs: what
//!    disturbs the machine for a while disturbs all of them alike.
//! 3. [`stats`]: medians, and the bootstrap interval of a ratio.
//! 4. [`table`]: the cells, the verdict on each, the printed table and the JSON.

pub mod measure;
pub mod peers;
pub mod stats;
pub mod table;

use std::path::PathBuf;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::Mpi;
use table::Table;

/// What to measure.
#[derive(Debug)]
pub struct Options {
    pub ours: Mpi,
    /// Families of `peers.toml`; all when empty.
    pub against: Vec<String>,
    /// Only cells whose name (`test/bytes`) matches; whole programs are left out when none of theirs can.
    pub filter: Option<Regex>,
    pub rounds: usize,
    /// Where the peers' environments live.
    pub cache: PathBuf,
    /// For compiled programs.
    pub work_dir: PathBuf,
}

/// Fewer rounds are no measurement (the rule for a benchmark cell).
pub const ROUNDS_MIN: usize = 9;

/// Measures, and prints the table. The caller writes the report.
pub fn run(options: &Options) -> Result<Table> {
    ensure!(options.rounds > 0, "no rounds");
    if options.rounds < ROUNDS_MIN {
        println!("{} rounds: too few to judge by, at least {ROUNDS_MIN} are needed", options.rounds);
    }
    let peers = peers::install(&options.against, &options.cache)?;
    let mut all = vec![options.ours.clone()];
    all.extend(peers.iter().map(|peer| peer.mpi.clone()));
    let series = measure::rounds(&all, options)?;
    let settings = peers.iter().map(|peer| (peer.mpi.name.clone(), peer.settings.clone())).collect();
    let table = Table::new(series, &options.ours.name, settings, options.rounds);
    table.print();
    Ok(table)
}
