//! What the benchmark has to show, line by line: geometric means of ratios, bounds of single figures, cells by the rule.

use serde::Serialize;

use super::plan::{NET_LINE, PROGRAMS};
use super::table::{Cell, Table, Verdict};

/// One bound, and the figure that is held against it.
#[derive(Debug, Serialize)]
pub struct Demand {
    /// The line of the requirement.
    pub line: u8,
    pub what: String,
    /// `None`: not measured.
    pub figure: Option<f64>,
    pub bound: f64,
    /// Whether the bound is the least that the figure may be, not the most.
    pub at_least: bool,
    pub met: bool,
    /// What is missing.
    pub note: String,
}

impl Demand {
    fn new(line: u8, what: impl Into<String>, figure: Option<f64>, bound: f64) -> Demand {
        let met = figure.is_some_and(|figure| figure <= bound);
        let note = if figure.is_none() { "not measured".into() } else { String::new() };
        Demand { line, what: what.into(), figure, bound, at_least: false, met, note }
    }

    fn at_least(line: u8, what: impl Into<String>, figure: Option<f64>, bound: f64) -> Demand {
        let met = figure.is_some_and(|figure| figure >= bound);
        Demand { at_least: true, met, ..Demand::new(line, what, figure, bound) }
    }

    /// A figure of some of its cells only does not meet the bound.
    fn complete(self, missing: usize, all: usize) -> Demand {
        if missing == 0 || self.figure.is_none() {
            return self;
        }
        Demand { met: false, note: format!("{missing} of {all} cells are missing"), ..self }
    }

    pub fn figure_shown(&self) -> String {
        self.figure.map_or_else(|| "-".into(), super::show::number)
    }

    pub fn bound_shown(&self) -> String {
        format!("{} {}", if self.at_least { ">=" } else { "<=" }, (self.bound * 100.0).round() / 100.0)
    }
}

const PAIR_SIZES: [u64; 6] = [8, 1 << 10, 8 << 10, 64 << 10, 1 << 20, 4 << 20];
const COLLECTIVES: [&str; 8] =
    ["bcast", "reduce", "allreduce", "gather", "scatter", "allgather", "alltoall", "reduce_scatter"];
/// From where on Fast Messages is held against the raw ring.
const STREAM_SIZES: [u64; 4] = [8 << 10, 64 << 10, 1 << 20, 4 << 20];
/// Of a table's cells, how many may have a median between 1.00 and 1.05.
const EVEN_SHARE_MAX: f64 = 0.05;

type Name = (String, usize, u64);

/// `ours` is what the library under test is called.
pub fn all(table: &Table, ours: &str) -> Vec<Demand> {
    if table.cells.iter().any(|cell| cell.line == NET_LINE) {
        return between_hosts(table, ours);
    }
    let by_the_rule = |table, line| by_the_rule(table, line, ours);
    let mut demands = Vec::new();
    for test in ["latency", "bandwidth", "bibw"] {
        let names: Vec<Name> = PAIR_SIZES.iter().map(|&bytes| (test.into(), 2, bytes)).collect();
        demands.push(mean(table, 1, format!("{test}, {} sizes: geometric mean", names.len()), &names, 0.90));
    }
    let latency = table.cell("latency", 2, 8).map(|cell| cell.ours * 1000.0);
    let line = table.floor.get("cache_line_ns").copied();
    demands.push(Demand::new(1, "latency of 8 bytes over a cache line's way", over(latency, line), 2.2));
    demands.push(Demand::new(1, "message rate at 8 bytes: ratio", ratio(table, "rate", 2, 8), 0.75));
    demands.extend(by_the_rule(table, 1));
    demands.push(mean(table, 2, "collectives of 2 ranks: geometric mean", &collectives(&["", "_sync"]), 0.75));
    demands.extend(by_the_rule(table, 2));
    demands.push(mean(table, 3, "more ranks than cores: geometric mean", &crowded(), 0.65));
    demands.extend(by_the_rule(table, 3));
    demands.extend(start(table));
    demands.extend(layers(table, latency));
    demands.extend(by_the_rule(table, 6));
    for queue in ["posted", "unexpected"] {
        let at = |depth| table.cell(&format!("{queue}_{depth}"), 2, 8).map(|cell| cell.ours);
        let what = format!("matching at depth 10,000 over depth 1, {queue}, exact");
        demands.push(Demand::new(6, what, over(at(10_000), at(1)), 2.0));
    }
    demands.extend(by_the_rule(table, 7));
    let value = |test| table.cell(test, 2, 0).map(|cell| cell.ours);
    demands.push(Demand::new(8, "two jobs together over one after the other", value("jobs_two"), 1.3));
    demands.push(Demand::new(8, "four jobs: slowest over quickest", value("jobs_four"), 1.5));
    let share = "share of a core that a sequential competitor keeps";
    demands.push(Demand::at_least(8, share, value("jobs_competitor"), 0.40));
    demands
}

fn collectives(suffixes: &[&str]) -> Vec<Name> {
    let mut names = Vec::new();
    for suffix in suffixes {
        names.push((format!("barrier{suffix}"), 2, 0));
        for name in COLLECTIVES {
            names.extend([8, 4096, 65536, 1 << 20].map(|bytes| (format!("{name}{suffix}"), 2, bytes)));
        }
    }
    names
}

fn crowded() -> Vec<Name> {
    let mut names = Vec::new();
    for ranks in [4, 8, 16, 32] {
        names.extend([("pairs".to_owned(), ranks, 8), ("barrier".to_owned(), ranks, 0)]);
        for name in ["allreduce", "alltoall", "bcast", "allgather"] {
            names.extend([8, 65536].map(|bytes| (name.to_owned(), ranks, bytes)));
        }
    }
    names
}

fn start(table: &Table) -> Vec<Demand> {
    const SCALE: usize = 1024;
    let mut demands: Vec<Demand> = [2, 16, 64, 256]
        .map(|ranks| Demand::new(4, format!("start and end of {ranks} ranks: ratio"), ratio(table, "start", ranks, 0), 0.5))
        .into();
    let pss = ratio(table, "pss", 64, 8);
    demands.push(Demand::new(4, "mean Pss of 64 ranks: ratio", pss, 0.4));
    let seconds = table.cell("scale", SCALE, 0).map(|cell| cell.ours);
    demands.push(Demand::new(4, "1,024 ranks: start, barrier, allreduce, end, in seconds", seconds, 60.0));
    let mb = table.cell("scale_pss", SCALE, 8).map(|cell| cell.ours);
    demands.push(Demand::new(4, "1,024 ranks: Pss of all, in MB", mb, (4u64 << 30) as f64 / 1e6));
    demands
}

fn layers(table: &Table, latency_ns: Option<f64>) -> Vec<Demand> {
    let floor = |name: &str| table.floor.get(name).copied();
    let least = |share: &dyn Fn(u64) -> Option<f64>| STREAM_SIZES.iter().filter_map(|&bytes| share(bytes)).reduce(f64::min);
    let fm = |bytes: u64| floor(&format!("fm_{bytes}_MBps"));
    let fm_of_ring = least(&|bytes| over(fm(bytes), floor(&format!("ring_{bytes}_MBps"))));
    let mpi = |bytes| table.cell("bandwidth", 2, bytes).map(|cell| cell.ours);
    let mpi_of_fm = least(&|bytes| over(mpi(bytes), fm(bytes)));
    vec![
        Demand::at_least(5, "FM's bandwidth of the raw ring's from 8 KiB, least", fm_of_ring, 0.95),
        Demand::at_least(5, "MPI's bandwidth of FM's from 8 KiB, least", mpi_of_fm, 0.97),
        Demand::new(5, "MPI's latency of 8 bytes over FM's", over(latency_ns, floor("fm_8_ns")), 1.4),
    ]
}

/// One rank on each of two hosts: ahead of the others, or as good as TCP itself.
fn between_hosts(table: &Table, ours: &str) -> Vec<Demand> {
    let missed = |test: &str, sizes: std::ops::RangeInclusive<u64>, ratio_max: f64, of_floor: fn(&Cell, f64) -> bool| {
        let is_judged = |cell: &&Cell| cell.test == test && sizes.contains(&cell.bytes) && !cell.peers.is_empty();
        let cells: Vec<&Cell> = table.cells.iter().filter(is_judged).collect();
        let is_missed = |cell: &&&Cell| cell.ratio > ratio_max && !cell.floor.is_some_and(|floor| of_floor(cell, floor));
        (!cells.is_empty()).then(|| cells.iter().filter(is_missed).count() as f64)
    };
    let latencies = missed("latency", 1 << 10..=64 << 10, 0.95, |cell, floor| cell.ours <= floor * 1.10);
    let bandwidths = missed("bandwidth", 8 << 10..=4 << 20, 1.0, |cell, floor| cell.ours >= floor * 0.95);
    let mut demands = vec![
        Demand::new(NET_LINE, "latency of 8 bytes between hosts: ratio", ratio(table, "latency", 2, 8), 0.87),
        Demand::new(NET_LINE, "latencies of 1 to 64 KiB above 0.95 and 1.1 of TCP's", latencies, 0.0),
        Demand::new(NET_LINE, "bandwidths from 8 KiB above 1.0 and below 0.95 of TCP's", bandwidths, 0.0),
        Demand::new(NET_LINE, "message rate at 8 bytes between hosts: ratio", ratio(table, "rate", 2, 8), 0.2),
    ];
    demands.extend(by_the_rule(table, NET_LINE, ours));
    demands
}

/// The geometric mean of the ratios of these cells.
fn mean(table: &Table, line: u8, what: impl Into<String>, names: &[Name], bound: f64) -> Demand {
    let compared = |name: &Name| table.cell(&name.0, name.1, name.2).filter(|cell| !cell.peers.is_empty());
    let ratios: Vec<f64> = names.iter().filter_map(compared).map(|cell| cell.ratio).collect();
    let mean = (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp();
    let figure = (!ratios.is_empty()).then_some(mean);
    Demand::new(line, what, figure, bound).complete(names.len() - ratios.len(), names.len())
}

/// How many cells of a table fail, and how many are close to it.
fn by_the_rule(table: &Table, line: u8, ours: &str) -> [Demand; 2] {
    let is_information = |cell: &Cell| cell.test.contains("_median") || cell.test == "overlap_alone";
    let judged = |cell: &&Cell| cell.line == line && !cell.peers.is_empty() && !is_information(cell);
    let cells: Vec<&Cell> = table.cells.iter().filter(judged).collect();
    let count = |is: &dyn Fn(&Cell) -> bool| cells.iter().filter(|cell| is(cell)).count() as f64;
    let measured = |figure: f64| (!cells.is_empty()).then_some(figure);
    let behind = count(&|cell| cell.verdict() == Verdict::Behind);
    let even = count(&|cell| (1.0..=1.05).contains(&cell.ratio)) / cells.len() as f64;
    let is_of_line = |name: &str| PROGRAMS.iter().any(|program| program.name == name && program.line == line);
    let failed = table.failures.iter().find(|failure| failure.mpi == ours && is_of_line(failure.program));
    let mut demands = [
        Demand::new(line, format!("table {line}, {} cells: behind by the rule", cells.len()), measured(behind), 0.0),
        Demand::new(line, format!("table {line}: share between 1.00 and 1.05"), measured(even), EVEN_SHARE_MAX),
    ];
    if let Some(failure) = failed {
        demands[0].met = false;
        demands[0].note = format!("{} failed", failure.program);
    }
    demands
}

fn ratio(table: &Table, test: &str, ranks: usize, bytes: u64) -> Option<f64> {
    table.cell(test, ranks, bytes).filter(|cell| !cell.peers.is_empty()).map(|cell| cell.ratio)
}

fn over(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    Some(a? / b?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::series::Failure;
    use crate::bench::table;
    use std::collections::BTreeMap;

    fn with(cells: Vec<Cell>) -> Table {
        let floor = [("cache_line_ns".to_owned(), 50.0)].into();
        let (machine, settings) = (String::new(), BTreeMap::new());
        Table { machine, settings, floor, cells, failures: Vec::new(), must_show: Vec::new() }
    }

    fn named<'a>(demands: &'a [Demand], what: &str) -> &'a Demand {
        demands.iter().find(|demand| demand.what.contains(what)).expect("a demand of this name")
    }

    #[test]
    fn means_are_geometric_and_need_all_cells() {
        let latency = |bytes, ratio| Cell { bytes, ..table::tests::cell([ratio; 2], ratio, 0.1, None) };
        let ratios = [0.5, 2.0, 0.5, 2.0, 0.5, 2.0];
        let mut cells: Vec<Cell> = PAIR_SIZES.iter().zip(ratios).map(|(&bytes, ratio)| latency(bytes, ratio)).collect();
        let demands = all(&with(cells.clone()), "ours");
        let mean = named(&demands, "latency, 6 sizes");
        assert!((mean.figure.unwrap() - 1.0).abs() < 1e-12 && !mean.met, "{mean:?}");
        assert_eq!(named(&demands, "cache line").figure, Some(2.0));
        assert_eq!(named(&demands, "table 1, 6 cells").figure, Some(3.0));
        assert_eq!(named(&demands, "bandwidth, 6 sizes").note, "not measured");
        cells.truncate(1);
        let demands = all(&with(cells), "ours");
        let mean = named(&demands, "latency, 6 sizes");
        assert!(mean.figure == Some(0.5) && !mean.met && mean.note == "5 of 6 cells are missing", "{mean:?}");
    }

    #[test]
    fn between_hosts_tcp_itself_is_an_excuse() {
        let cell = |test: &str, bytes, ratio, ours, floor| {
            let cell = table::tests::cell([ratio; 2], ratio, ours, Some(floor));
            Cell { test: test.into(), bytes, line: NET_LINE, ..cell }
        };
        let cells = vec![
            cell("latency", 8, 0.80, 4.2, 4.0),
            cell("latency", 1024, 0.99, 5.0, 4.6),
            cell("latency", 65536, 0.99, 5.0, 4.0),
            cell("bandwidth", 8192, 1.1, 960.0, 1000.0),
            cell("bandwidth", 16384, 1.1, 900.0, 1000.0),
            cell("bandwidth", 65536, 0.9, 900.0, 1000.0),
        ];
        let demands = all(&with(cells), "ours");
        assert!(named(&demands, "latency of 8 bytes").met);
        assert_eq!(named(&demands, "latencies of 1 to 64 KiB").figure, Some(1.0));
        assert_eq!(named(&demands, "bandwidths from 8 KiB").figure, Some(1.0));
        assert_eq!(named(&demands, "message rate").note, "not measured");
    }

    #[test]
    fn a_program_of_ours_that_fails_does_not_meet_the_rule() {
        let mut table = with(vec![table::tests::cell([0.5; 2], 0.5, 0.1, None)]);
        assert!(named(&all(&table, "ours"), "table 1, 1 cells").met);
        let failure = |mpi: &str| Failure { program: "bibw", mpi: mpi.into(), why: "exit status 1".into(), times: 1 };
        table.failures = vec![failure("peer")];
        assert!(named(&all(&table, "ours"), "table 1, 1 cells").met);
        table.failures.push(failure("ours"));
        let demands = all(&table, "ours");
        let demand = named(&demands, "table 1, 1 cells");
        assert!(!demand.met && demand.note == "bibw failed", "{demand:?}");
    }
}
