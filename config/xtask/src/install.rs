//! `install`: builds the library, the launcher and the wrappers, and lays them out under a prefix.
//!
//! Nothing installed holds the prefix's path: wrappers find it from their own location, pkg-config files from theirs, so
//! the folder may be moved or copied as a whole.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;
use crate::{exec, link, man, pkgconfig};

/// A program under `bin/`: cargo's name, every name it is installed as, and a line for its man page.
struct Program {
    built: &'static str,
    names: &'static [&'static str],
    summary: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program { built: "hpvmrun", names: &["hpvmrun", "mpiexec", "mpirun"], summary: "launch MPI programs" },
    Program { built: "hpvmd", names: &["hpvmd"], summary: "run a node's share of an MPI job" },
    Program {
        built: "mpicc",
        names: &["mpicc", "mpicc_abi", "mpicxx", "mpic++", "mpiCC", "mpifort", "mpif90", "mpif77"],
        summary: "compile and link MPI programs",
    },
];

/// The profile for what is built to be tried or tested.
pub const QUICK: &str = "fast";

#[derive(clap::Args)]
pub struct Args {
    /// Where to install; made if it does not exist
    #[arg(long, value_name = "DIR")]
    prefix: PathBuf,
    /// Cargo profile; `fast` builds quickly, `release` is optimised across crates
    #[arg(long, default_value = "release", value_name = "NAME")]
    profile: String,
}

pub fn run(args: &Args) -> Result<()> {
    let prefix = std::path::absolute(&args.prefix)?;
    install(&Repo::find(), &prefix, &args.profile)?;
    println!("Installed under {}. Put {} into PATH.", prefix.display(), prefix.join("bin").display());
    Ok(())
}

/// Builds with a profile and installs under an absolute prefix. Files that did not change keep their times.
pub fn install(repo: &Repo, prefix: &Path, profile: &str) -> Result<()> {
    let built = build(repo, profile)?;
    let [bin, lib, include] = ["bin", "lib", "include"].map(|folder| prefix.join(folder));
    let man = prefix.join("share/man/man1");
    for folder in [&bin, &lib.join("pkgconfig"), &include, &man] {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }

    copy_folder(&repo.root.join("mpi-fm/abi/include"), &include)?;
    link::link(&built.join(ARCHIVE), &lib)?;
    for (name, text) in pkgconfig::files() {
        put(&lib.join("pkgconfig").join(name), text.as_bytes())?;
    }
    for program in PROGRAMS {
        let (first, others) = program.names.split_first().expect("a program has a name");
        put_file(&built.join(program.built), &bin.join(first))?;
        let page = man::page(first, program.summary, &exec::quiet(Command::new(bin.join(first)).arg("--help"))?);
        put(&man.join(format!("{first}.1")), page.as_bytes())?;
        for name in others {
            put_link(first, &bin.join(name))?;
            put_link(&format!("{first}.1"), &man.join(format!("{name}.1")))?;
        }
    }
    completions(prefix)
}

/// Where shells look for completions: file and folder of each, and the names of further commands if each has a file of its own.
const COMPLETIONS: &[(&str, &str, &str, &[&str])] = &[
    ("bash", "share/bash-completion/completions", "hpvmrun", &["mpiexec", "mpirun"]),
    ("zsh", "share/zsh/site-functions", "_hpvmrun", &[]),
    ("fish", "share/fish/vendor_completions.d", "hpvmrun.fish", &["mpiexec.fish", "mpirun.fish"]),
];

fn completions(prefix: &Path) -> Result<()> {
    for (shell, folder, file, others) in COMPLETIONS {
        let folder = prefix.join(folder);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let script = exec::quiet(Command::new(prefix.join("bin/hpvmrun")).args(["--completions", shell]))?;
        put(&folder.join(file), script.as_bytes())?;
        others.iter().try_for_each(|other| put_link(file, &folder.join(other)))?;
    }
    Ok(())
}

/// What cargo makes of crate `mpi-abi`; the libraries are linked from it.
const ARCHIVE: &str = "libmpi_fm_abi.a";

/// Builds the static archive and the programs; returns the folder with cargo's results.
fn build(repo: &Repo, profile: &str) -> Result<PathBuf> {
    let profile_flag = format!("--profile={profile}");
    let cargo = |args: &[&str]| {
        exec::loud(exec::cargo().current_dir(&repo.root).args(args).args(["--quiet", &profile_flag]))
    };
    // Not a crate type of the manifest: beside an rlib cargo leaves out the optimisation across crates.
    cargo(&["rustc", "--package=mpi-abi", "--lib", "--crate-type=staticlib"])?;
    cargo(&["build", "--package=hpvm-launcher"])?;
    // Cargo's one exception: the profile "dev" builds into "debug".
    let built = repo.target.join(if profile == "dev" { "debug" } else { profile });
    for file in [ARCHIVE].into_iter().chain(PROGRAMS.iter().map(|program| program.built)) {
        if !built.join(file).exists() {
            bail!("cargo built no {file} in {}", built.display());
        }
    }
    Ok(built)
}

/// Copies a file with its permissions, unless a copy with the same content is there.
pub fn put_file(from: &Path, to: &Path) -> Result<()> {
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if !to.is_symlink() && fs::read(to).is_ok_and(|old| old == content) {
        return Ok(());
    }
    // A new file, not a new content: a program that runs from the old one keeps it.
    let fresh = to.with_extension("new");
    fs::copy(from, &fresh).with_context(|| format!("cannot write {}", fresh.display()))?;
    fs::rename(&fresh, to).with_context(|| format!("cannot write {}", to.display()))
}

/// Writes a file unless it holds just that.
fn put(to: &Path, text: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

/// Makes a relative symbolic link, replacing what is there.
pub fn put_link(target: &str, link: &Path) -> Result<()> {
    if fs::read_link(link).is_ok_and(|old| old == Path::new(target)) {
        return Ok(());
    }
    let _ = fs::remove_file(link);
    symlink(target, link).with_context(|| format!("cannot make the link {}", link.display()))
}

/// Copies a folder with all below it; symbolic links stay what they are.
pub fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let (path, target) = entry.map(|entry| (entry.path(), to.join(entry.file_name())))?;
        if path.is_symlink() {
            put_link(&fs::read_link(&path)?.to_string_lossy(), &target)?;
        } else if path.is_dir() {
            copy_folder(&path, &target)?;
        } else {
            put_file(&path, &target)?;
        }
    }
    Ok(())
}
