//! From a C source to one private copy of the program per rank.

use crate::sys::{self, Main};
use anyhow::{Context, Result, bail};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A program as a shared object.
pub type Object = Arc<Vec<u8>>;

/// Reads the shared object of a program; compiles it first if `path` is a C source.
pub fn object(path: &Path, flags: &[String]) -> Result<Object> {
    let read = |path: &Path| std::fs::read(path).with_context(|| format!("reading {}", path.display()));
    if path.extension().is_none_or(|extension| extension != "c") {
        return read(path).map(Arc::new);
    }
    // The compiler writes into memory, so that nothing is left behind and simulators do not meet.
    let output = sys::nameless_file()?;
    let output = PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), output.as_raw_fd()));
    compile(path, flags, &output)?;
    read(&output).map(Arc::new)
}

fn compile(source: &Path, flags: &[String], object: &Path) -> Result<()> {
    let suite = mpi_suite::home();
    let mut command = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    // The programs' own loops over their buffers are much of a run.
    command.args(["-std=gnu11", "-O3", "-g", "-D_GNU_SOURCE", "-shared", "-fPIC"]);
    command.arg("-I").arg(suite.join("../../mpi-fm/abi/include"));
    command.arg("-I").arg(suite.join("c/common"));
    // A rank that exits ends itself, not the simulation: see `rank::exit`.
    command.args(flags).arg(source).arg("-o").arg(object).args(["-Wl,--wrap=exit", "-lm"]);
    let done = command.output().context("running the C compiler")?;
    if !done.status.success() {
        bail!("{} does not compile: {}", source.display(), String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

/// Loads one copy of `object` for each rank: ranks share no variable of the program. Returns each copy's `main`.
pub fn load(object: &Object, ranks: u32) -> Result<Vec<Main>> {
    (0..ranks).map(|_| sys::load_copy(object).context("loading the program")).collect()
}
