//! The benchmark: our MPI beside others on the same machine, in the same minutes.
//!
//! 1. [`plan`]: the programs of `bench/`, with how many ranks each runs, and beside which peers' settings.
//! 2. [`peers`]: the others, installed from PyPI into the cache, with fixed versions and settings (`bench/peers.toml`).
//! 3. [`build`]: the programs, compiled by each MPI's own `mpicc`.
//! 4. [`net`]: two hosts, where that is what is measured.
//! 5. [`measure`]: runs them in rounds that interleave all MPIs: what disturbs the machine for a while disturbs all of them
//!    alike. [`jobs`] are the runs in which several things share the cores. [`series`] holds what was measured, and what failed.
//! 6. [`stats`]: medians, and the bootstrap interval of a ratio.
//! 7. [`table`]: the cells, and the verdict on each; [`must_show`] holds them against what is demanded.
//! 8. [`show`], [`svg`]: how that looks as text, in Markdown, as plots.

pub mod build;
pub mod jobs;
pub mod measure;
pub mod must_show;
pub mod net;
pub mod peers;
pub mod plan;
pub mod series;
pub mod show;
pub mod stats;
pub mod svg;
pub mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use regex::Regex;

use crate::Mpi;
use measure::Contender;
use table::Table;

/// What to measure.
#[derive(Debug)]
pub struct Options {
    pub ours: Mpi,
    /// Families of `peers.toml`; all when empty.
    pub against: Vec<String>,
    /// Only programs whose name matches, or cells whose name (`test/bytes`) does.
    pub filter: Option<Regex>,
    pub rounds: usize,
    /// A program that measures Fast Messages without MPI: called with `--json`, it prints an object of figures.
    pub fm: Option<PathBuf>,
    /// Where the peers' environments live.
    pub cache: PathBuf,
    /// For compiled programs. All hosts see it.
    pub work_dir: PathBuf,
    /// Measure between these hosts, and nothing else.
    pub net: Option<net::Hosts>,
}

/// Fewer rounds are no measurement (the rule for a benchmark cell).
pub const ROUNDS_MIN: usize = 9;

/// Measures, and prints the table. The caller writes the report.
pub fn run(options: &Options) -> Result<Table> {
    ensure!(options.rounds > 0, "no rounds");
    if options.rounds < ROUNDS_MIN {
        println!("{} rounds: too few to judge by, at least {ROUNDS_MIN} are needed", options.rounds);
    }
    let peers = peers::install(options)?;
    let mut ours = options.ours.clone();
    if let Some(hosts) = &options.net {
        hosts.launch_ours(&mut ours);
    }
    let mut all = vec![Contender::ours(&ours)];
    all.extend(peers.iter().map(Contender::peer));
    let series = measure::rounds(&all, options)?;
    let mut settings: BTreeMap<_, _> = peers.iter().map(|peer| (peer.mpi.name.clone(), peer.settings.clone())).collect();
    if let Some(hosts) = &options.net {
        let control = hosts.congestion_control()?;
        println!("TCP between the hosts: congestion control {control}, for all");
        settings.insert("TCP between the hosts".into(), format!("net.ipv4.tcp_congestion_control={control}"));
    }
    let table = Table::new(series, &options.ours.name, settings, options.rounds);
    show::print(&table);
    Ok(table)
}
