//! `tune`: measures at which lengths the library changes its way best on this machine, and writes the table that `hpvmrun` reads (docs/tuning.md).
//!
//! 1. [`choices`]: what there is to choose, and by which operations, lengths and ranks each choice is measured.
//! 2. [`measure`]: the times of the alternatives, interleaved.
//! 3. [`judge`]: whether another value is better than the library's own.

mod choices;
mod judge;
mod measure;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::bench::stats::median;
use regex::Regex;

use choices::{ALWAYS, CHOICES, Choice, Kind};
use judge::{Cell, Verdict, judge};
use measure::{Bench, Table, text_of};

use crate::install;
use crate::repo::Repo;

#[derive(clap::Args)]
pub struct Args {
    /// The installation to measure; without it, this clone is built and installed into target/prefix-release
    #[arg(long, value_name = "DIR")]
    pub prefix: Option<PathBuf>,
    /// Where the table goes; by itself share/hpvm/tuning.toml of the installation, where its hpvmrun finds it
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Fewer lengths and rounds: a third of the time, and more doubt, in which the library's own values stay
    #[arg(long)]
    pub quick: bool,
    /// Only the thresholds whose key matches
    #[arg(long, value_name = "RE")]
    pub filter: Option<Regex>,
}

pub fn run(args: &Args) -> Result<()> {
    let repo = Repo::find();
    let prefix = match &args.prefix {
        Some(prefix) => std::path::absolute(prefix)?,
        None => {
            let prefix = repo.target.join("prefix-release");
            install::install(&repo, &prefix, "release")?;
            prefix
        }
    };
    let wanted: Vec<&Choice> = CHOICES.iter().filter(|choice| is_wanted(choice, args.filter.as_ref())).collect();
    ensure!(!wanted.is_empty(), "no threshold's key matches");
    fs::create_dir_all(&repo.target)?;
    let work = tempfile::tempdir_in(&repo.target).context("cannot make a folder in target/")?;
    let bench = Bench::new(&prefix, work.path(), args.quick)?;
    let own = bench.own()?;
    let start = Instant::now();
    let (mut table, mut comments, mut noisy) = (Table::new(), Vec::new(), Vec::new());
    for choice in &wanted {
        let values: Vec<u64> = choice.keys().iter().map(|key| own.get(*key).copied().with_context(|| format!("this library has no {key}"))).collect::<Result<_>>()?;
        let cells = bench.measure(choice, values[0], &table)?;
        let verdict = judge(choice, &values, &cells);
        show(choice, bench.ranks(choice), &values, &cells, &verdict);
        match verdict {
            Verdict::Better(better, part) => {
                comments.push(format!("# {}: {} of the time at the lengths that this changes", choice.what, percent(part)));
                table.extend(choice.keys().into_iter().map(str::to_owned).zip(better));
            }
            Verdict::TooNoisy(_) => noisy.extend(choice.keys()),
            Verdict::Right => (),
        }
    }
    let changed = comments.len();
    println!("\n{} of {} choices are changed, in {:.0} s", changed, wanted.len(), start.elapsed().as_secs_f64());
    if !noisy.is_empty() {
        println!("Not judged, since something else uses this machine: {}. Repeat this when it is quiet.", noisy.join(", "));
        comments.push(format!("# Not judged, since something else used the machine: {}", noisy.join(", ")));
    }
    let path = args.output.clone().unwrap_or_else(|| prefix.join("share/hpvm/tuning.toml"));
    write(&path, &comments, &table)
}

fn is_wanted(choice: &Choice, filter: Option<&Regex>) -> bool {
    filter.is_none_or(|filter| choice.keys().iter().any(|key| filter.is_match(key)))
}

/// What was measured, a line for each operation and length, and what follows from it.
fn show(choice: &Choice, ranks: usize, own: &[u64], cells: &[Cell], verdict: &Verdict) {
    let settings = |values: &[u64]| choice.keys().iter().zip(values).map(|(key, value)| format!("{key} = {}", length(*value))).collect::<Vec<_>>().join(", ");
    println!("\n{}, {ranks} ranks; the library has {}", choice.what, settings(own));
    let alternatives = choice.alternatives(own[0]);
    let heads: Vec<String> = match choice.kind {
        Kind::Value(..) => alternatives.iter().map(|values| length(values[0].1)).collect(),
        _ => vec!["without".into(), "with".into()],
    };
    println!("  {:16} {:>9}{}", "us", "length", heads.iter().map(|head| format!(" {head:>10}")).collect::<String>());
    for cell in cells {
        let times: String = cell.times.iter().map(|times| format!(" {:>10.2}", median(times))).collect();
        let ratio = match choice.kind {
            Kind::Value(..) => String::new(),
            _ => {
                let (ratio, [low, high]) = cell.ratio(1, 0);
                format!("   {ratio:.2} ({low:.2} to {high:.2})")
            }
        };
        println!("  {:16} {:>9}{times}{ratio}", cell.operation, length(cell.length));
    }
    match verdict {
        Verdict::Better(values, part) => println!("  -> {}: {} of the time at the lengths that this changes", settings(values), percent(*part)),
        Verdict::Right => println!("  -> stays: nothing else is clearly better"),
        Verdict::TooNoisy(width) => println!("  -> stays: too noisy to judge, most ratios are uncertain by a factor of {width:.1}"),
    }
    let _ = std::io::stdout().flush();
}

fn percent(part: f64) -> String {
    format!("{:.0} %", part * 100.0)
}

fn length(bytes: u64) -> String {
    match bytes {
        ALWAYS => "always".into(),
        _ if bytes >= 1 << 20 && bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes.is_multiple_of(1 << 10) => format!("{} KiB", bytes >> 10),
        _ => bytes.to_string(),
    }
}

fn write(path: &Path, comments: &[String], table: &Table) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), fs::create_dir_all).with_context(|| format!("cannot make the folder of {}", path.display()))?;
    let machine = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = machine.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map_or("this machine", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mut text = format!("# Thresholds by `cargo xtask tune`: {model}, {cores} cores. docs/tuning.md tells what they mean.\n");
    if table.is_empty() {
        text += "# Nothing was clearly better than the library's own.\n";
    }
    comments.iter().for_each(|comment| text += &format!("{comment}\n"));
    text += &text_of(table);
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?;
    println!("{} is written", path.display());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_as_people_say_them() {
        let shown = [0, 100, 1 << 10, 1500, 24 << 10, 1 << 20, ALWAYS].map(length);
        assert_eq!(shown, ["0", "100", "1 KiB", "1500", "24 KiB", "1 MiB", "always"]);
    }

    #[test]
    fn a_table_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("share/hpvm/tuning.toml");
        write(&path, &[], &Table::new()).unwrap();
        assert!(fs::read_to_string(&path).unwrap().lines().all(|line| line.starts_with("# ")));
        write(&path, &["# x".into()], &Table::from([("gather-board-max".into(), 8)])).unwrap();
        assert!(fs::read_to_string(&path).unwrap().ends_with("\n# x\ngather-board-max = 8\n"));
    }
}
