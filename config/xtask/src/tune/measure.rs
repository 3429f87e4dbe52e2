//! Runs `bench/tune.c` under the alternatives of a choice, in rounds that interleave them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use mpi_suite::Mpi;
use mpi_suite::run::{self, Job};
use serde::Deserialize;

use super::choices::{Choice, Ranks};
use super::judge::Cell;
use crate::exec;

/// Thresholds by their keys.
pub type Table = BTreeMap<String, u64>;

/// So many ranks are as many as any other number that is more than the cores.
const MANY_MAX: usize = 64;

/// An installation, and the program compiled for it.
pub struct Bench<'a> {
    mpi: Mpi,
    program: PathBuf,
    work: &'a Path,
    cores: usize,
    pub rounds: usize,
    pub quick: bool,
}

impl<'a> Bench<'a> {
    pub fn new(prefix: &Path, work: &'a Path, quick: bool) -> Result<Self> {
        let mpi = Mpi::installed(prefix);
        let program = work.join("tune");
        let mut mpicc = Command::new(&mpi.mpicc);
        mpicc.args(["-O2", "-std=gnu11"]).arg(mpi_suite::home().join("bench/tune.c")).arg("-o").arg(&program);
        exec::quiet(&mut mpicc)?;
        let cores = std::thread::available_parallelism().context("cannot tell how many cores there are")?.get();
        Ok(Self { mpi, program, work, cores, rounds: if quick { 5 } else { 9 }, quick })
    }

    pub fn ranks(&self, choice: &Choice) -> usize {
        match choice.ranks {
            Ranks::Two => 2,
            Ranks::Many(least) => (2 * self.cores).clamp(least, MANY_MAX),
        }
    }

    /// The library's own thresholds.
    pub fn own(&self) -> Result<Table> {
        let text = self.launch(&Table::new(), 1, &["values".into()])?;
        let pair = |line: &str| {
            let (variable, value) = line.split_once(' ')?;
            Some((variable.strip_prefix("hpvm_")?.replace('_', "-"), value.parse().ok()?))
        };
        Ok(text.lines().filter_map(pair).collect())
    }

    /// The times of a choice's alternatives. `settled` is what was chosen before.
    pub fn measure(&self, choice: &Choice, own: u64, settled: &Table) -> Result<Vec<Cell>> {
        let ranks = self.ranks(choice);
        let alternatives = choice.alternatives(own);
        let blocks = choice.blocks(self.quick);
        let mut cells = Vec::new();
        for operation in choice.operations {
            let mut args = vec![(*operation).to_owned()];
            args.extend(blocks.iter().map(u64::to_string));
            let mut times = vec![vec![Vec::new(); alternatives.len()]; blocks.len()];
            for round in 0..self.rounds {
                // Whoever comes first may find a machine that has just rested.
                for turn in 0..alternatives.len() {
                    let index = (turn + round) % alternatives.len();
                    let mut table = settled.clone();
                    table.extend(choice.fixed.iter().chain(&alternatives[index]).map(|(key, value)| ((*key).to_owned(), *value)));
                    let text = self.launch(&table, ranks, &args)?;
                    let values = values_of(&text, &blocks).with_context(|| format!("{operation} with {ranks} ranks"))?;
                    values.into_iter().zip(&mut times).for_each(|(value, times)| times[index].push(value));
                }
            }
            let of = |(bytes, times): (&u64, Vec<Vec<f64>>)| Cell { operation, length: choice.unit.of(*bytes, ranks), times };
            cells.extend(blocks.iter().zip(times).map(of));
        }
        Ok(cells)
    }

    fn launch(&self, table: &Table, ranks: usize, args: &[String]) -> Result<String> {
        // A file even if it is empty: the user's own must not be read.
        let file = self.work.join("tuning.toml");
        std::fs::write(&file, text_of(table)).with_context(|| format!("cannot write {}", file.display()))?;
        let mut mpi = self.mpi.clone();
        mpi.launcher_args = vec!["--tuning".into(), file.into()];
        let limit = Duration::from_secs(120);
        let job = Job { program: &self.program, ranks, args, env: Vec::new(), preload: None, dir: None, stdin: None, limit };
        let ended = run::launch(&mpi, &job, &self.work.join("run"))?;
        match ended.status {
            Some(status) if status.success() => Ok(ended.stdout),
            Some(status) => bail!("tune {} with {ranks} ranks ended with {}:\n{}", args.join(" "), exec::ending(status), ended.stderr.trim()),
            None => bail!("tune {} with {ranks} ranks took more than {} s", args.join(" "), limit.as_secs()),
        }
    }
}

/// A table as a file, without comments.
pub fn text_of(table: &Table) -> String {
    table.iter().fold(String::new(), |mut text, (key, value)| {
        let _ = writeln!(text, "{key} = {value}");
        text
    })
}

/// A line of the program.
#[derive(Deserialize)]
struct Line {
    bytes: u64,
    value: f64,
}

/// Microseconds of each block, in order.
fn values_of(text: &str, blocks: &[u64]) -> Result<Vec<f64>> {
    let lines: Vec<Line> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>().context("reading what it printed")?;
    ensure!(lines.iter().map(|line| line.bytes).eq(blocks.iter().copied()), "it has not measured what it was to");
    ensure!(lines.iter().all(|line| line.value.is_finite() && line.value > 0.0), "it has measured no time");
    Ok(lines.into_iter().map(|line| line.value).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_read() {
        let line = |bytes: u64, value: &str| format!("{{\"test\":\"bcast\",\"ranks\":2,\"bytes\":{bytes},\"unit\":\"us\",\"value\":{value}}}\n");
        assert_eq!(values_of(&(line(8, "1.5") + &line(16, "2")), &[8, 16]).unwrap(), [1.5, 2.0]);
        for (text, why) in [(line(8, "1"), "not measured what"), (line(16, "1") + &line(8, "1"), "not measured what"), (line(8, "0") + &line(16, "1"), "no time")] {
            let error = format!("{:#}", values_of(&text, &[8, 16]).unwrap_err());
            assert!(error.contains(why), "{error}");
        }
    }
}
