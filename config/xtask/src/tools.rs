//! The Debian packages that a subcommand needs beyond a Rust toolchain and a C compiler.

use std::process::Command;
use std::sync::Once;

use anyhow::{Result, bail};

use crate::exec;

/// A program, and the package that brings it.
pub struct Tool {
    pub program: &'static str,
    pub package: &'static str,
}

pub const CMAKE: Tool = Tool { program: "cmake", package: "cmake" };
pub const CXX: Tool = Tool { program: "g++", package: "g++" };
pub const MESON: Tool = Tool { program: "meson", package: "meson" };
pub const PKG_CONFIG: Tool = Tool { program: "pkg-config", package: "pkg-config" };
pub const AUTOCONF: Tool = Tool { program: "autoconf", package: "autoconf" };
pub const AUTOMAKE: Tool = Tool { program: "automake", package: "automake" };
pub const MAKE: Tool = Tool { program: "make", package: "make" };
pub const CC: Tool = Tool { program: "cc", package: "gcc" };
pub const GDB: Tool = Tool { program: "gdb", package: "gdb" };
pub const PYTHON: Tool = Tool { program: "python3", package: "python3" };
/// Stands for Python's headers.
pub const PYTHON_CONFIG: Tool = Tool { program: "python3-config", package: "python3-dev" };
pub const SSHD: Tool = Tool { program: "sshd", package: "openssh-server" };
pub const IP: Tool = Tool { program: "ip", package: "iproute2" };
pub const UNSHARE: Tool = Tool { program: "unshare", package: "util-linux" };
pub const NSENTER: Tool = Tool { program: "nsenter", package: "util-linux" };
pub const SETPRIV: Tool = Tool { program: "setpriv", package: "util-linux" };
pub const VALGRIND: Tool = Tool { program: "valgrind", package: "valgrind" };
/// MPICH's launcher, with its libraries.
pub const HYDRA: Tool = Tool { program: "mpiexec.hydra", package: "mpich" };
pub const MPICC_MPICH: Tool = Tool { program: "mpicc.mpich", package: "libmpich-dev" };
pub const XZ: Tool = Tool { program: "xz", package: "xz-utils" };

/// Sees to it that all these programs exist: as root by installing what is missing, else by saying how to.
pub fn need(tools: &[Tool]) -> Result<()> {
    let missing: Vec<_> = tools.iter().filter(|tool| exec::which(tool.program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|tool| tool.package).collect();
    let names: Vec<_> = missing.iter().map(|tool| tool.program).collect();
    install(&names, &packages)
}

/// A library that the C compiler has to find, and the package that brings it.
pub struct Library {
    pub name: &'static str,
    pub package: &'static str,
}

pub const FABRIC: Library = Library { name: "fabric", package: "libfabric-dev" };

/// As [`need`], for libraries.
pub fn need_libraries(libraries: &[Library]) -> Result<()> {
    let is_missing = |library: &&Library| {
        let mut cc = Command::new("cc");
        cc.args(["-shared", "-x", "c", "/dev/null", "-o", "/dev/null"]).arg(format!("-l{}", library.name));
        !cc.output().is_ok_and(|done| done.status.success())
    };
    let missing: Vec<_> = libraries.iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<_> = missing.iter().map(|library| library.name).collect();
    let packages: Vec<_> = missing.iter().map(|library| library.package).collect();
    install(&names, &packages)
}

/// The PMIx library under the name without a version, by which Slurm's plugin loads it. It is where no compiler looks.
pub fn need_pmix() -> Result<()> {
    let is_there = |folder: std::fs::DirEntry| folder.path().join("pmix2/lib/libpmix.so").exists() || folder.path().join("libpmix.so").exists();
    if std::fs::read_dir("/usr/lib")?.flatten().any(is_there) { Ok(()) } else { install(&["libpmix.so"], &["libpmix-dev"]) }
}

/// Installs packages for what is missing, as [`need`] does.
pub fn install(names: &[&str], packages: &[&str]) -> Result<()> {
    let command = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if !is_root() || exec::which("apt-get").is_none() {
        bail!("{} missing; install with: sudo {command}", names.join(", "));
    }
    eprintln!("xtask: {command}");
    let apt = || {
        let mut apt = Command::new("apt-get");
        apt.env("DEBIAN_FRONTEND", "noninteractive").args(["-qq", "-o", "DPkg::Lock::Timeout=300"]);
        apt
    };
    static UPDATE: Once = Once::new();
    // A package list that cannot be fetched may not be the one that is needed: installing will tell.
    UPDATE.call_once(|| drop(exec::quiet(apt().arg("update"))));
    exec::quiet(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))?;
    Ok(())
}

/// Whether this process may install packages.
pub fn is_root() -> bool {
    // The owner of our own entry in /proc is the effective user.
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0)
}
