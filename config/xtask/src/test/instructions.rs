//! The regression guard: how many instructions a ping-pong, a send of 64 KiB, and a barrier of 8 ranks take, on the simulated
//! network in one process (`mpi-fm/examples/instructions.rs`). A count does not depend on what else the machine does, so a
//! bound of a few percent holds where times would not.
//!
//! Another compiler inlines otherwise and another C library allocates otherwise: then the counts are skipped, not compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use mpi_suite::report::Counts;
use serde::{Deserialize, Serialize};

use super::callgrind;
use crate::repo::Repo;
use crate::tools::{self, VALGRIND};
use crate::{exec, install};

/// The programs of the example, and how much more than noted each may take.
const WORK: [&str; 3] = ["barrier", "ping-pong", "send"];
const MORE_MAX_PERCENT: u64 = 3;

/// `config/xtask/instructions.toml`
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Noted {
    rustc: String,
    libc: String,
    counts: BTreeMap<String, u64>,
}

pub fn run(repo: &Repo) -> Result<Counts> {
    let path = repo.root.join("config/xtask/instructions.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let noted: Noted = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    let update = std::env::var_os("HPVM_UPDATE").is_some();
    let (rustc, libc) = (rustc()?, libc()?);
    let skipped = Counts { skipped: WORK.len(), ..Counts::default() };
    if !cfg!(target_arch = "x86_64") {
        println!("skip  instructions: the counts are those of x86_64");
        return Ok(skipped);
    }
    if !update && (&noted.rustc, &noted.libc) != (&rustc, &libc) {
        println!("skip  instructions: counted with rustc {}, {}; here are rustc {rustc}, {libc}", noted.rustc, noted.libc);
        return Ok(skipped);
    }
    tools::need(&[VALGRIND])?;
    let program = build(repo)?;
    let mut counts = Counts::default();
    let mut new = BTreeMap::new();
    for work in WORK {
        let count = count(repo, &program, work)?;
        let before = noted.counts.get(work).copied().unwrap_or(0);
        println!("{work}: {count} instructions, {before} noted");
        new.insert(work.to_owned(), count);
        if !update {
            super::check(&mut counts, &format!("the instructions of {work}"), compare(before, count));
        }
    }
    if update {
        let comments: String = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let noted = Noted { rustc, libc, counts: new };
        std::fs::write(&path, comments + &toml::to_string(&noted)?)?;
        println!("{} is written", path.display());
        counts.passed += WORK.len();
    }
    Ok(counts)
}

fn compare(noted: u64, count: u64) -> Result<()> {
    const COMMAND: &str = "HPVM_UPDATE=1 cargo xtask test --only instructions";
    let percent = (count as f64 / noted as f64 - 1.0) * 100.0;
    ensure!(
        count * 100 <= noted * (100 + MORE_MAX_PERCENT),
        "{percent:.1} % more than noted, at most {MORE_MAX_PERCENT} % are allowed; if that is meant: {COMMAND}"
    );
    if count * 100 < noted * (100 - MORE_MAX_PERCENT) {
        println!("      {:.1} % fewer than noted; note that: {COMMAND}", -percent);
    }
    Ok(())
}

fn build(repo: &Repo) -> Result<std::path::PathBuf> {
    let profile = format!("--profile={}", install::QUICK);
    let mut command = exec::cargo();
    command.current_dir(&repo.root).args(["build", "--quiet", &profile, "--package=mpi-fm", "--example=instructions"]);
    exec::loud(&mut command)?;
    Ok(repo.target.join(install::QUICK).join("examples/instructions"))
}

fn count(repo: &Repo, program: &Path, work: &str) -> Result<u64> {
    let output = repo.target.join(format!("instructions.{work}.callgrind"));
    let mut valgrind = Command::new("valgrind");
    valgrind.args(["--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted*"]);
    valgrind.arg(format!("--callgrind-out-file={}", output.display())).arg(program).arg(work);
    exec::quiet(&mut valgrind)?;
    let text = std::fs::read_to_string(&output).with_context(|| format!("cannot read {}", output.display()))?;
    let count = callgrind::sum(&text, is_ours);
    if count == 0 {
        bail!("callgrind counted nothing in {}", output.display());
    }
    Ok(count)
}

/// What is not the library's: the simulated network with the trees that it is made of, and the schedule. What copies memory
/// takes the widest instructions that the processor has, so its count is the processor's.
fn is_ours(file: &str, function: &str) -> bool {
    const FILES: [&str; 5] = ["/sim.rs", "/sim/", "/btree/", "/tests/common/", "/examples/"];
    const FUNCTIONS: [&str; 3] = ["fm::sim::", "instructions::", "alloc::collections::btree::"];
    let holds = |parts: &[&str], text: &str| parts.iter().any(|part| text.contains(part));
    // The standard library's, inlined there.
    let is_theirs = file.starts_with("/rustc/") && holds(&FUNCTIONS, function);
    let copies = function.starts_with("__mem") || function.starts_with("mem");
    !holds(&FILES, file) && !is_theirs && !copies
}

fn rustc() -> Result<String> {
    let version = exec::quiet(Command::new("rustc").arg("--version"))?;
    Ok(version.trim().trim_start_matches("rustc ").to_owned())
}

fn libc() -> Result<String> {
    Ok(exec::quiet(Command::new("getconf").arg("GNU_LIBC_VERSION"))?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_percent_more_are_too_many() {
        assert!(compare(1000, 1030).is_ok());
        assert!(compare(1000, 500).is_ok());
        let error = compare(1000, 1031).unwrap_err().to_string();
        assert!(error.contains("HPVM_UPDATE=1 cargo xtask test --only instructions"), "{error}");
    }
}
