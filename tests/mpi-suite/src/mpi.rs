//! An MPI installation, known by its commands.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The commands of one MPI, and whether it is HPVM.
#[derive(Clone, Debug)]
pub struct Mpi {
    pub name: String,
    pub mpicc: PathBuf,
    pub mpicxx: PathBuf,
    pub mpirun: PathBuf,
    /// HPVM itself: programs marked `abi` run, and what a job leaves behind is an error.
    pub ours: bool,
    /// Arguments of the launcher that this MPI always needs.
    pub launcher_args: Vec<OsString>,
    /// What each rank's program runs under, with its arguments: a memory checker.
    pub wrapper: Vec<OsString>,
    pub env: Vec<(OsString, OsString)>,
}

impl Mpi {
    /// HPVM as `cargo xtask install --prefix` lays it out.
    pub fn installed(prefix: &Path) -> Mpi {
        let bin = prefix.join("bin");
        Mpi {
            name: "hpvm".into(),
            mpicc: bin.join("mpicc"),
            mpicxx: bin.join("mpicxx"),
            mpirun: bin.join("hpvmrun"),
            ours: true,
            launcher_args: Vec::new(),
            wrapper: Vec::new(),
            env: Vec::new(),
        }
    }

    /// Another MPI, found by its commands (a name on the PATH, or a path).
    pub fn other(name: &str, mpicc: &Path, mpicxx: &Path, mpirun: &Path) -> Mpi {
        Mpi {
            name: name.into(),
            mpicc: mpicc.into(),
            mpicxx: mpicxx.into(),
            mpirun: mpirun.into(),
            ours: false,
            launcher_args: Vec::new(),
            wrapper: Vec::new(),
            env: Vec::new(),
        }
    }
}
