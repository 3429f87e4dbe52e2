//! What is run in each round, in the order of the tables.

/// Where the settings of `peers.toml` apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// A core for each rank.
    Free,
    /// More ranks (or threads, or jobs) than cores.
    Crowded,
    /// Start-up and memory.
    Start,
    /// A rank on each of two hosts.
    Net,
    /// Ours alone: the bound is not a ratio.
    #[serde(skip)]
    Alone,
}

/// What is done with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It prints its cells.
    Cells,
    /// It is launched so many times; the cell (named like the table's first test) is the launcher's time in seconds.
    Wall { launches: usize },
    /// Both of them.
    CellsAndWall,
    /// It prints its cells while a sequential program computes.
    BesideHog,
    /// Several jobs at once ([`jobs`](super::jobs)).
    Jobs,
}

#[derive(Debug)]
pub struct Program {
    /// For `--filter`, and in messages.
    pub name: &'static str,
    /// Under `bench/`, without the ending.
    pub source: &'static str,
    pub ranks: usize,
    pub args: &'static [&'static str],
    pub when: When,
    pub how: How,
    /// Who takes longer is ended.
    pub limit_s: u64,
    /// The line of the requirement that the cells belong to.
    pub line: u8,
    /// The tests that it has cells of.
    pub tests: &'static [&'static str],
}

const PLAIN: Program = Program {
    name: "",
    source: "",
    ranks: 2,
    args: &[],
    when: When::Free,
    how: How::Cells,
    limit_s: 60,
    line: 1,
    tests: &[],
};

const fn pair(name: &'static str, tests: &'static [&'static str]) -> Program {
    Program { name, source: name, tests, ..PLAIN }
}

const fn other(name: &'static str, tests: &'static [&'static str]) -> Program {
    Program { line: 6, ..pair(name, tests) }
}

const fn crowded(name: &'static str, ranks: usize) -> Program {
    let tests = &["pairs", "barrier", "allreduce", "alltoall", "bcast", "allgather"];
    Program { name, source: "crowded", ranks, when: When::Crowded, limit_s: 30, line: 3, tests, ..PLAIN }
}

const fn start(name: &'static str, ranks: usize, launches: usize) -> Program {
    let how = How::Wall { launches };
    Program { name, source: "start", ranks, when: When::Start, how, limit_s: 120, line: 4, tests: &["start"], ..PLAIN }
}

const fn net(name: &'static str, source: &'static str, tests: &'static [&'static str]) -> Program {
    // Windows of 64 times 4 MiB take half a minute on a machine that others use, too.
    Program { name, source, when: When::Net, line: NET_LINE, tests, limit_s: 180, ..PLAIN }
}

/// The table of what is measured between hosts, apart from all others.
pub const NET_LINE: u8 = 9;

pub const PROGRAMS: &[Program] = &[
    pair("latency", &["latency"]),
    pair("bandwidth", &["bandwidth"]),
    pair("bibw", &["bibw"]),
    pair("rate", &["rate"]),
    Program { name: "collectives", source: "collectives", line: 2, tests: COLLECTIVES, ..PLAIN },
    crowded("crowded-4", 4),
    crowded("crowded-8", 8),
    crowded("crowded-16", 16),
    crowded("crowded-32", 32),
    start("start-2", 2, 3),
    start("start-16", 16, 1),
    start("start-64", 64, 1),
    start("start-256", 256, 1),
    Program { name: "memory", source: "memory", ranks: 64, when: When::Start, line: 4, tests: &["pss"], ..PLAIN },
    Program {
        name: "scale",
        source: "scale",
        ranks: 1024,
        when: When::Alone,
        how: How::CellsAndWall,
        limit_s: 120,
        line: 4,
        tests: &["scale", "scale_pss"],
        ..PLAIN
    },
    other("vector", &["vector", "vector_flat"]),
    other("matching", MATCHING),
    other("overlap", &["overlap_alone", "overlap_isend", "overlap_iallreduce"]),
    other("rotating", &["rotating", "rotating_bw"]),
    Program { when: When::Crowded, limit_s: 30, ..other("threads", &["threads_own", "threads_shared"]) },
    Program { name: "jitter", source: "jitter", line: 7, tests: JITTER, ..PLAIN },
    Program {
        name: "jitter-beside",
        source: "jitter",
        args: &["_beside"],
        how: How::BesideHog,
        when: When::Crowded,
        limit_s: 60,
        line: 7,
        tests: JITTER_BESIDE,
        ..PLAIN
    },
    Program {
        name: "jobs",
        source: "loop",
        args: &["6000"],
        when: When::Crowded,
        how: How::Jobs,
        limit_s: 20,
        line: 8,
        tests: &["jobs_two", "jobs_four", "jobs_competitor"],
        ..PLAIN
    },
    net("net-latency", "latency", &["latency"]),
    net("net-bandwidth", "bandwidth", &["bandwidth"]),
    net("net-bibw", "bibw", &["bibw"]),
    net("net-rate", "rate", &["rate"]),
];

const COLLECTIVES: &[&str] = &[
    "barrier",
    "barrier_sync",
    "bcast",
    "bcast_sync",
    "reduce",
    "reduce_sync",
    "allreduce",
    "allreduce_sync",
    "gather",
    "gather_sync",
    "scatter",
    "scatter_sync",
    "allgather",
    "allgather_sync",
    "alltoall",
    "alltoall_sync",
    "reduce_scatter",
    "reduce_scatter_sync",
    "reduce_scatter_block",
    "reduce_scatter_block_sync",
];

const MATCHING: &[&str] = &[
    "posted_1",
    "unexpected_1",
    "posted_any_1",
    "unexpected_any_1",
    "posted_10000",
    "unexpected_10000",
    "posted_any_10000",
    "unexpected_any_10000",
];

const JITTER: &[&str] = &[
    "pingpong_median",
    "pingpong_p99",
    "pingpong_p999",
    "allreduce_median",
    "allreduce_p99",
    "allreduce_p999",
];

const JITTER_BESIDE: &[&str] = &[
    "pingpong_median_beside",
    "pingpong_p99_beside",
    "pingpong_p999_beside",
    "allreduce_median_beside",
    "allreduce_p99_beside",
    "allreduce_p999_beside",
];

/// What a filter is matched against, beside a program's name.
pub fn cell_name(test: &str, bytes: u64) -> String {
    format!("{test}/{bytes}")
}

impl Program {
    /// A filter on a program's name selects all its cells; one on cells only the programs that can have one.
    pub fn is_wanted(&self, filter: Option<&regex::Regex>) -> bool {
        let Some(filter) = filter else { return true };
        let sizes = || (0..=22).map(|power| 1u64 << power).chain([0]);
        let mut cells = self.tests.iter().flat_map(|test| sizes().map(move |bytes| cell_name(test, bytes)));
        filter.is_match(self.name) || cells.any(|cell| filter.is_match(&cell))
    }

    pub fn is_cell_wanted(&self, filter: Option<&regex::Regex>, test: &str, bytes: u64) -> bool {
        filter.is_none_or(|filter| filter.is_match(self.name) || filter.is_match(&cell_name(test, bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use regex::Regex;

    fn selected(filter: &str) -> Vec<&'static str> {
        let filter = Regex::new(filter).unwrap();
        PROGRAMS.iter().filter(|program| program.is_wanted(Some(&filter))).map(|program| program.name).collect()
    }

    #[test]
    fn filters_select_programs_or_cells() {
        assert_eq!(selected("^crowded-8$"), ["crowded-8"]);
        assert_eq!(selected("^latency/8$"), ["latency", "net-latency"]);
        assert_eq!(selected("^(matching|jobs)"), ["matching", "jobs"]);
        assert!(selected("barrier").contains(&"crowded-32"));
        let latency = &PROGRAMS[0];
        let filter = Regex::new("^latency/8$").unwrap();
        assert!(latency.is_cell_wanted(Some(&filter), "latency", 8));
        assert!(!latency.is_cell_wanted(Some(&filter), "latency", 65536));
    }

    #[test]
    fn every_program_has_a_source_and_a_name_of_its_own() {
        for (index, program) in PROGRAMS.iter().enumerate() {
            assert!(crate::home().join("bench").join(format!("{}.c", program.source)).exists(), "{}", program.name);
            assert!(PROGRAMS[..index].iter().all(|earlier| earlier.name != program.name), "{}", program.name);
        }
    }
}
