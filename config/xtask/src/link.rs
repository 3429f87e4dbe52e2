//! From cargo's static archive to the libraries that are installed.
//!
//! rustc hides the weak `MPI_*` aliases from a cdylib's exports, so the shared library is linked here, from the archive,
//! with a version script that exports the two families of names and nothing else.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec;
use crate::install::put_link;

const SONAME: &str = "libmpi_abi.so.1";

/// Makes `libmpi_abi.so.1`, the links beside it and the static `libmpi_abi.a` in `lib`, unless they were made from this
/// very `archive`. They get its time as a mark: one that is merely newer may stem from another profile's archive.
pub fn link(archive: &Path, lib: &Path) -> Result<()> {
    let time = |file: &Path| fs::metadata(file).and_then(|meta| meta.modified());
    let made = time(archive).with_context(|| format!("cannot read {}", archive.display()))?;
    type Link = fn(&Path, &Path) -> Result<()>;
    let links: [(_, Link); 2] = [(SONAME, link_shared), ("libmpi_abi.a", link_static)];
    for (name, link) in links {
        let library = lib.join(name);
        if !time(&library).is_ok_and(|mark| mark == made) {
            link(archive, &library)?;
            File::options().append(true).open(&library)?.set_modified(made)?;
        }
    }
    // mpi4py's loader tries only `libmpi.so`.
    for name in ["libmpi_abi.so", "libmpi.so"] {
        put_link(SONAME, &lib.join(name))?;
    }
    Ok(())
}

fn link_shared(archive: &Path, shared: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let script = work.path().join("exports.map");
    fs::write(&script, "{ global: MPI_*; PMPI_*; local: *; };\n")?;
    let fresh = shared.with_extension("new");
    exec::quiet(
        Command::new("cc")
            .args(["-shared", "-o"])
            .arg(&fresh)
            .arg("-Wl,--whole-archive")
            .arg(archive)
            .args(["-Wl,--no-whole-archive", "-Wl,--gc-sections", "-Wl,-z,nodelete", "-Wl,-z,defs"])
            .arg(format!("-Wl,--version-script={}", script.display()))
            .arg(format!("-Wl,-soname,{SONAME}"))
            .args(["-lgcc_s", "-lpthread", "-ldl", "-lm", "-lc"]),
    )?;
    fs::rename(&fresh, shared).with_context(|| format!("cannot write {}", shared.display()))
}

/// One object in which only the MPI names are global, so that a Rust program may link it: two copies of the Rust
/// standard library would otherwise define the same symbols.
fn link_static(archive: &Path, fixed: &Path) -> Result<()> {
    let work = tempfile::tempdir()?;
    let object = work.path().join("mpi_abi.o");
    // With everything reachable from these names, and nothing else of the standard library.
    let roots = work.path().join("roots");
    fs::write(&roots, mpi_names(archive)?.iter().map(|name| format!("-u {name}\n")).collect::<String>())?;
    exec::quiet(
        Command::new("ld")
            // No section groups: the program's copy of one would replace ours, to which only our symbols can refer.
            .args(["-r", "--gc-sections", "--force-group-allocation", "-o"])
            .arg(&object)
            .arg(format!("@{}", roots.display()))
            .arg("--whole-archive")
            .arg(archive),
    )?;
    exec::quiet(
        Command::new("objcopy")
            .args(["--wildcard", "--keep-global-symbol=MPI_*", "--keep-global-symbol=PMPI_*"])
            // Joined, the crates' bitcode is no bitcode any more; tools with an LLVM plugin would stumble over it.
            .args(["--remove-section=.llvmbc", "--remove-section=.llvmcmd"])
            .arg(&object),
    )?;
    let fresh = work.path().join("libmpi_abi.a");
    exec::quiet(Command::new("ar").arg("rcs").arg(&fresh).arg(&object))?;
    fs::copy(&fresh, fixed).with_context(|| format!("cannot write {}", fixed.display()))?;
    Ok(())
}

fn mpi_names(archive: &Path) -> Result<Vec<String>> {
    let listed = exec::quiet(
        Command::new("nm").args(["--extern-only", "--defined-only", "--format=just-symbols", "--quiet"]).arg(archive),
    )?;
    let ours = |name: &&str| name.starts_with("MPI_") || name.starts_with("PMPI_");
    Ok(listed.lines().filter(ours).map(str::to_owned).collect())
}
