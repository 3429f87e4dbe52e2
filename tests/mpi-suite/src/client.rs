//! The Rust client: a program on the `mpi-sys` crate (`rust-client/`), built through an installation's `mpicc`.
//!
//! `mpi-sys` needs libclang. Where there is none, Debian's package is installed when that is allowed; else the check says
//! what to do.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::manifest::Expect;
use crate::run::{self, Job};
use crate::{Mpi, home};

const PACKAGE: &str = "libclang-dev";

/// Builds the client and runs it at several numbers of ranks. How many runs there were, and what was wrong.
pub fn check(mpi: &Mpi, work_dir: &Path) -> Result<(usize, Vec<String>)> {
    need_libclang()?;
    let program = build(mpi, work_dir)?;
    let mut wrong = Vec::new();
    const RANKS: [usize; 3] = [1, 2, 4];
    for ranks in RANKS {
        let limit = Duration::from_secs(60);
        let job =
            Job { program: &program, ranks, args: &[], env: Vec::new(), preload: None, dir: None, stdin: None, limit };
        let ended = run::launch(mpi, &job, &work_dir.join("rust-client"))?;
        if let Some(why) = run::judge(&Expect::default(), &ended, mpi.ours) {
            wrong.push(format!("{ranks} ranks: {why}"));
        }
    }
    Ok((RANKS.len(), wrong))
}

fn build(mpi: &Mpi, work_dir: &Path) -> Result<PathBuf> {
    // Its own target directory: cargo remembers there which header was bound.
    let target = work_dir.join("rust-client-target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--manifest-path"]).arg(home().join("rust-client/Cargo.toml"));
    cargo.arg("--target-dir").arg(&target).env("MPICC", &mpi.mpicc).stdin(Stdio::null());
    // As the linker, `mpicc` says where the library will be found at run time; `mpi-sys` takes only its name from it.
    cargo.env("RUSTFLAGS", format!("-Clinker={}", mpi.mpicc.display()));
    // What the calling cargo says about its own package is none of the client's business.
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_PKG_")) {
        cargo.env_remove(name);
    }
    let done = cargo.output().context("running cargo")?;
    if !done.status.success() {
        bail!("the Rust client does not build: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(target.join("debug/rust-client"))
}

/// Where a distribution, or the user, has put libclang.
fn has_libclang() -> bool {
    let told = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let usual = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    let versioned = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path().join("lib"));
    told.into_iter().chain(usual.map(PathBuf::from)).chain(versioned).any(|dir| {
        let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
        let mut names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        // libclang-cpp is another library.
        names.any(|name| name.starts_with("libclang.so") || name.starts_with("libclang-") && is_versioned(&name))
    })
}

/// `libclang-14.so.1`
fn is_versioned(name: &str) -> bool {
    let version = name.trim_start_matches("libclang-").split('.').next().unwrap_or_default();
    !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit()) && name.contains(".so")
}

/// Sees to it that there is a libclang, with which the bindings to an MPI's header are made.
pub fn need_libclang() -> Result<()> {
    if has_libclang() {
        return Ok(());
    }
    let mut apt = Command::new("apt-get");
    apt.args(["install", "--yes", "-qq", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300", PACKAGE]);
    println!("installing {PACKAGE}");
    let done = apt.env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null()).output();
    if !done.is_ok_and(|done| done.status.success()) || !has_libclang() {
        bail!("Rust clients of MPI need libclang: install {PACKAGE}, or set LIBCLANG_PATH");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_libclang() {
        assert!(is_versioned("libclang-14.so.1"));
        assert!(!is_versioned("libclang-cpp.so.14"));
    }
}
