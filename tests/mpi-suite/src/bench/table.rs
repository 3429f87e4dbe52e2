//! The cells of a benchmark, and the rule that judges them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::must_show::{self, Demand};
use super::plan::{NET_LINE, PROGRAMS};
use super::series::{Failure, Key, Series, Values};
use super::stats::{median, ratio_interval};
use super::{net, show, svg};

/// What `--report` writes.
#[derive(Debug, Serialize)]
pub struct Table {
    pub machine: String,
    pub settings: BTreeMap<String, String>,
    pub floor: BTreeMap<String, f64>,
    pub cells: Vec<Cell>,
    /// Programs that did not come to their end.
    pub failures: Vec<Failure>,
    pub must_show: Vec<Demand>,
}

#[derive(Clone, Debug, Serialize)]
pub struct Cell {
    /// What `--filter` calls the program that measures it.
    pub program: String,
    pub test: String,
    pub ranks: usize,
    pub bytes: u64,
    pub unit: String,
    pub better: Better,
    /// The line of the requirement that it belongs to.
    pub line: u8,
    /// Medians over the rounds.
    pub ours: f64,
    pub peers: BTreeMap<String, f64>,
    /// The best of the peers; empty without any.
    pub best: String,
    /// Below 1 means ahead, whichever way is better.
    pub ratio: f64,
    pub ci: [f64; 2],
    /// What the machine itself takes or gives, where that is known.
    pub floor: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    Lower,
    Higher,
}

impl Better {
    pub fn of(unit: &str) -> Better {
        if ["us", "s", "MB", "x"].contains(&unit) { Better::Lower } else { Better::Higher }
    }
}

/// A cell's place by the rule of INTERFACES: it fails when the whole interval lies above this …
const RATIO_MAX: f64 = 1.05;
/// … unless it is this close to the floor.
const FLOOR_MARGIN: f64 = 1.10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ahead,
    /// Between 1.00 and 1.05, or not told apart from that.
    Even,
    AtFloor,
    Behind,
    /// Nobody to compare with.
    Alone,
}

impl Table {
    pub fn new(series: Series, ours: &str, mut settings: BTreeMap<String, String>, rounds: usize) -> Table {
        settings.insert("rounds".into(), rounds.to_string());
        let floor: BTreeMap<String, f64> = series.floor.iter().map(|(name, v)| (name.clone(), of_all(v))).collect();
        let cells = series.cells.iter().filter_map(|(key, values)| Cell::new(key, values, ours, &floor)).collect();
        let failures = series.failures.into_values().collect();
        let mut table = Table { machine: machine(), settings, floor, cells, failures, must_show: Vec::new() };
        table.must_show = must_show::all(&table, ours);
        table
    }

    /// The cell of this name; programs with different numbers of ranks may share a test.
    pub fn cell(&self, test: &str, ranks: usize, bytes: u64) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.test == test && cell.ranks == ranks && cell.bytes == bytes)
    }

    pub fn count(&self, verdict: Verdict) -> usize {
        self.cells.iter().filter(|cell| cell.verdict() == verdict).count()
    }

    /// The cells of each program, in order.
    pub fn programs(&self) -> impl Iterator<Item = &[Cell]> {
        self.cells.chunk_by(|a, b| a.program == b.program)
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))?;
        let markdown = path.with_extension("md");
        std::fs::write(&markdown, show::markdown(self)).with_context(|| format!("writing {}", markdown.display()))?;
        svg::write_all(self, path)
    }
}

impl Cell {
    /// `None` when ours did not measure it.
    fn new(
        key: &Key,
        values: &BTreeMap<String, Values>,
        ours: &str,
        floor: &BTreeMap<String, f64>,
    ) -> Option<Cell> {
        let mine = values.get(ours)?;
        let better = Better::of(&key.unit);
        let others = values.iter().filter(|(name, _)| *name != ours);
        let peers: BTreeMap<String, f64> = others.map(|(name, values)| (name.clone(), of_all(values))).collect();
        let by_value = |a: &(&String, &f64), b: &(&String, &f64)| a.1.total_cmp(b.1);
        let best = match better {
            Better::Lower => peers.iter().min_by(by_value),
            Better::Higher => peers.iter().max_by(by_value),
        };
        let best = best.map(|(name, _)| name.clone()).unwrap_or_default();
        // Alone we are neither ahead nor behind.
        let theirs = values.get(&best).unwrap_or(mine);
        // Only rounds in which both were measured: what disturbed one disturbed both.
        let both: Vec<(f64, f64)> = mine.iter().filter_map(|(round, &a)| Some((a, *theirs.get(round)?))).collect();
        let (mut a, mut b): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
        if better == Better::Higher {
            std::mem::swap(&mut a, &mut b);
        }
        if a.is_empty() {
            return None;
        }
        Some(Cell {
            program: PROGRAMS[key.program].name.into(),
            test: key.test.clone(),
            ranks: key.ranks,
            bytes: key.bytes,
            unit: key.unit.clone(),
            better,
            line: PROGRAMS[key.program].line,
            ours: of_all(mine),
            peers,
            best,
            ratio: median(&a) / median(&b),
            ci: ratio_interval(&a, &b),
            floor: match PROGRAMS[key.program].line {
                NET_LINE => net::floor_of(&key.test, key.bytes, floor),
                _ => floor_of(&key.test, key.bytes, floor),
            },
        })
    }

    pub fn verdict(&self) -> Verdict {
        let at_floor = self.floor.is_some_and(|floor| match self.better {
            Better::Lower => self.ours <= floor * FLOOR_MARGIN,
            Better::Higher => self.ours * FLOOR_MARGIN >= floor,
        });
        if self.peers.is_empty() {
            Verdict::Alone
        } else if self.ci[0] > RATIO_MAX && at_floor {
            Verdict::AtFloor
        } else if self.ci[0] > RATIO_MAX {
            Verdict::Behind
        } else if self.ratio < 1.0 {
            Verdict::Ahead
        } else {
            Verdict::Even
        }
    }
}

/// The median over the rounds.
fn of_all(values: &Values) -> f64 {
    median(&values.values().copied().collect::<Vec<_>>())
}

/// What no MPI can beat: a small message takes a cache line's way, a large stream one copy.
fn floor_of(test: &str, bytes: u64, floor: &BTreeMap<String, f64>) -> Option<f64> {
    let copy = match bytes {
        ..=0x1_ffff => "memcpy_64KiB_MBps",
        0x2_0000..=0x3f_ffff => "memcpy_1MiB_MBps",
        _ => "memcpy_16MiB_MBps",
    };
    match test {
        "latency" if bytes <= 64 => floor.get("cache_line_ns").map(|ns| ns / 1000.0),
        "bandwidth" if bytes >= 65536 => floor.get(copy).copied(),
        _ => None,
    }
}

/// Processor, number of cores, kernel.
fn machine() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("", |x| x.1);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{model}, {cores} cores, Linux {}", kernel.trim())
}

#[cfg(test)]
pub mod tests {
    use super::*;

    pub fn cell(ci: [f64; 2], ratio: f64, ours: f64, floor: Option<f64>) -> Cell {
        Cell {
            program: "latency".into(),
            test: "latency".into(),
            ranks: 2,
            bytes: 8,
            unit: "us".into(),
            better: Better::Lower,
            line: 1,
            ours,
            peers: [("peer".to_owned(), 1.0)].into(),
            best: "peer".into(),
            ratio,
            ci,
            floor,
        }
    }

    #[test]
    fn the_rule() {
        assert_eq!(cell([0.8, 0.9], 0.85, 1.0, None).verdict(), Verdict::Ahead);
        assert_eq!(cell([0.99, 1.2], 1.04, 1.0, None).verdict(), Verdict::Even);
        assert_eq!(cell([1.06, 1.2], 1.1, 1.0, None).verdict(), Verdict::Behind);
        assert_eq!(cell([1.06, 1.2], 1.1, 1.0, Some(0.95)).verdict(), Verdict::AtFloor);
        assert_eq!(cell([1.06, 1.2], 1.1, 1.0, Some(0.5)).verdict(), Verdict::Behind);
    }
}
