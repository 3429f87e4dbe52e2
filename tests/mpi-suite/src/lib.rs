//! The suite that judges an installed HPVM from the outside, as its users meet it: `mpicc`, `hpvmrun`, C programs.
//!
//! Start reading here:
//!
//! 1. [`manifest`]: which programs there are, with how many ranks, and what each has to show. The programs lie in `c/`.
//! 2. [`compile`]: builds them with an installation's `mpicc`.
//! 3. [`run`]: launches one, watches its time limit, collects what it said; [`leftovers`] looks whether it left
//!    anything on the machine.
//! 4. [`suite`]: all of it in order, with a [`report`].
//! 5. [`checks`]: what needs more than one run to show, over [`fm_counts`], [`kill`] (by [`lots`]) and [`client`].
//! 6. [`bench`]: our MPI beside others.
//!
//! The library never names HPVM's own crates: it knows an [`Mpi`] by its commands, so that the same programs can be
//! run against another MPI. When both fail, the program is wrong.

pub mod bench;
pub mod checks;
pub mod client;
pub mod compile;
pub mod fm_counts;
pub mod kill;
pub mod leftovers;
pub mod lots;
pub mod manifest;
pub mod mpi;
pub mod report;
pub mod run;
pub mod suite;
mod sys;

pub use mpi::Mpi;

use std::path::{Path, PathBuf};

/// The folder of this package: sources of the programs, the manifest, the peers' settings.
pub fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Where compiled programs and kept outputs go when the caller does not say otherwise.
pub fn default_work_dir() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    target.unwrap_or_else(|| home().join("../../target")).join("mpi-suite")
}
