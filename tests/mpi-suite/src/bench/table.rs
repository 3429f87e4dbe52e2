//! The cells of a benchmark, the rule that judges them, and how they are shown.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::measure::{Key, Series};
use super::stats::{median, ratio_interval};

/// What `--report` writes.
#[derive(Debug, Serialize)]
pub struct Table {
    pub machine: String,
    pub settings: BTreeMap<String, String>,
    pub floor: BTreeMap<String, f64>,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub test: String,
    pub ranks: usize,
    pub bytes: u64,
    pub unit: String,
    pub better: Better,
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
}

impl Table {
    pub fn new(series: Series, ours: &str, mut settings: BTreeMap<String, String>, rounds: usize) -> Table {
        settings.insert("rounds".into(), rounds.to_string());
        let floor: BTreeMap<String, f64> = series.floor.iter().map(|(name, v)| (name.clone(), median(v))).collect();
        let cells = series.cells.iter().filter_map(|(key, values)| Cell::new(key, values, ours, &floor)).collect();
        Table { machine: machine(), settings, floor, cells }
    }

    pub fn behind(&self) -> usize {
        self.cells.iter().filter(|cell| cell.verdict() == Verdict::Behind).count()
    }

    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        std::fs::write(path, text + "\n").with_context(|| format!("writing {}", path.display()))
    }

    pub fn print(&self) {
        println!("\n{}", self.machine);
        for (name, value) in &self.floor {
            println!("floor: {name} {value}");
        }
        let mut test = "";
        for cell in &self.cells {
            if cell.test != test {
                test = &cell.test;
                let peers: String = cell.peers.keys().map(|name| format!("{name:>14}")).collect();
                println!("\n{:<12}{:>10}{:>14}{peers}   ratio  95 %", format!("{test}, {}", cell.unit), "bytes", "ours");
            }
            let peers: String = cell.peers.values().map(|value| format!("{:>14}", shown(*value))).collect();
            let [low, high] = cell.ci;
            let verdict = match cell.verdict() {
                Verdict::Ahead => "ahead",
                Verdict::Even => "even",
                Verdict::AtFloor => "at the floor",
                Verdict::Behind => "behind",
            };
            println!(
                "{:<12}{:>10}{:>14}{peers}  {:>6.2}  {low:.2} to {high:.2}  {verdict}",
                "",
                cell.bytes,
                shown(cell.ours),
                cell.ratio
            );
        }
        let count = |verdict| self.cells.iter().filter(|cell| cell.verdict() == verdict).count();
        println!(
            "\n{} cells: {} ahead, {} even, {} at the floor, {} behind",
            self.cells.len(),
            count(Verdict::Ahead),
            count(Verdict::Even),
            count(Verdict::AtFloor),
            count(Verdict::Behind)
        );
    }
}

impl Cell {
    /// `None` when ours did not measure it.
    fn new(key: &Key, values: &BTreeMap<String, Vec<f64>>, ours: &str, floor: &BTreeMap<String, f64>) -> Option<Cell> {
        let mine = values.get(ours)?;
        let better = if key.unit == "us" { Better::Lower } else { Better::Higher };
        let others = values.iter().filter(|(name, _)| *name != ours);
        let peers: BTreeMap<String, f64> = others.map(|(name, values)| (name.clone(), median(values))).collect();
        let by_value = |a: &(&String, &f64), b: &(&String, &f64)| a.1.total_cmp(b.1);
        let best = match better {
            Better::Lower => peers.iter().min_by(by_value),
            Better::Higher => peers.iter().max_by(by_value),
        };
        let best = best.map(|(name, _)| name.clone()).unwrap_or_default();
        // Alone we are neither ahead nor behind.
        let theirs = values.get(&best).unwrap_or(mine);
        let (a, b) = if better == Better::Lower { (mine, theirs) } else { (theirs, mine) };
        Some(Cell {
            test: key.test.clone(),
            ranks: key.ranks,
            bytes: key.bytes,
            unit: key.unit.clone(),
            better,
            ours: median(mine),
            peers,
            best,
            ratio: median(a) / median(b),
            ci: ratio_interval(a, b),
            floor: floor_of(&key.test, key.bytes, floor),
        })
    }

    pub fn verdict(&self) -> Verdict {
        let at_floor = self.floor.is_some_and(|floor| match self.better {
            Better::Lower => self.ours <= floor * FLOOR_MARGIN,
            Better::Higher => self.ours * FLOOR_MARGIN >= floor,
        });
        if self.ci[0] > RATIO_MAX && at_floor {
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

fn shown(value: f64) -> String {
    match value {
        0.0..10.0 => format!("{value:.3}"),
        10.0..1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
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
mod tests {
    use super::*;

    fn cell(ci: [f64; 2], ratio: f64, ours: f64, floor: Option<f64>) -> Cell {
        Cell {
            test: "latency".into(),
            ranks: 2,
            bytes: 8,
            unit: "us".into(),
            better: Better::Lower,
            ours,
            peers: BTreeMap::new(),
            best: String::new(),
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
