//! The checks that need more than one run of one program, each as counts like those of the suite.

use anyhow::Result;

use crate::compile::{self, Unit};
use crate::manifest::Language;
use crate::report::Counts;
use crate::{Mpi, client, fm_counts, home, kill};
use std::path::PathBuf;

/// Each size class gives the FM messages it should.
pub fn fm_counts(mpi: &Mpi) -> Result<Counts> {
    let program = build(mpi, "fm/count.c")?;
    let wrong = fm_counts::wrong(mpi, &program, &work_dir(mpi))?;
    Ok(counts("fm messages", fm_counts::classes(), &wrong))
}

/// Jobs that are killed leave nothing behind.
pub fn kill_rounds(mpi: &Mpi, rounds: u32, seed: u64, strict: bool, verbose: bool) -> Result<Counts> {
    let program = build(mpi, "kill/busy.c")?;
    let options = kill::Options { mpi, program: &program, rounds, seed, strict, verbose };
    kill::check(&options)?;
    let bad = kill::rounds(&options)?;
    // The state of the machine after the last round is one more thing that is checked.
    Ok(counts("kill rounds", rounds as usize + 1, &bad))
}

/// A Rust program on the `mpi-sys` crate builds and runs.
pub fn rust_client(mpi: &Mpi) -> Result<Counts> {
    let (total, wrong) = client::check(mpi, &work_dir(mpi))?;
    Ok(counts("rust client", total, &wrong))
}

fn counts(what: &str, total: usize, wrong: &[String]) -> Counts {
    for why in wrong {
        println!("FAIL  {what}: {why}");
    }
    Counts { passed: total.saturating_sub(wrong.len()), failed: wrong.len(), skipped: 0 }
}

fn work_dir(mpi: &Mpi) -> PathBuf {
    crate::default_work_dir().join(&mpi.name)
}

/// Compiles a program of `c/` alone; its path.
pub fn build(mpi: &Mpi, source: &str) -> Result<PathBuf> {
    let unit = Unit { source: source.into(), language: Language::C, flags: Vec::new(), shared: false };
    let mut built = compile::build_all(mpi, &home().join("c"), &work_dir(mpi).join("bin"), vec![unit.clone()], 1)?;
    let result = built.remove(&unit).unwrap_or_else(|| Err("was not built".into()));
    result.map_err(|why| anyhow::anyhow!("{source} {why}"))
}
