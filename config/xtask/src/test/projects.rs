//! Small projects of the build systems people use (tests/mpi-suite/build), each as its author would write it, built against the
//! prefix and against a copy of it elsewhere, and run.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context as _, Result, bail};
use mpi_suite::report::Counts;

use super::check;
use crate::repo::Repo;
use crate::tools::{self, Tool};
use crate::{exec, install};

/// A project: its folder, the programs that build it, and the commands that a user types in it.
struct Project {
    name: &'static str,
    tools: &'static [Tool],
    commands: &'static [&'static str],
}

const PROJECTS: &[Project] = &[
    Project {
        name: "cmake",
        tools: &[tools::CMAKE, tools::MAKE, tools::CXX],
        commands: &["cmake -S . -B build", "cmake --build build", "cmake --build build --target test"],
    },
    Project {
        name: "meson",
        tools: &[tools::MESON, tools::CXX, tools::PKG_CONFIG],
        commands: &["meson setup build", "meson compile -C build", "meson test -C build"],
    },
    Project {
        name: "autoconf",
        tools: &[tools::AUTOCONF, tools::AUTOMAKE, tools::MAKE],
        commands: &["autoreconf --install", "./configure CC=mpicc", "make", "make check"],
    },
    Project {
        name: "pkg-config",
        tools: &[tools::PKG_CONFIG, tools::MAKE],
        commands: &["make", "make check"],
    },
    Project { name: "static", tools: &[tools::MAKE], commands: &["make", "make check"] },
];

pub fn run(repo: &Repo) -> Result<Counts> {
    let work = repo.target.join("projects");
    let _ = fs::remove_dir_all(&work);
    let moved = work.join("elsewhere/hpvm");
    install::copy_folder(&repo.prefix(), &moved)?;
    let mut counts = Counts::default();
    check(&mut counts, "installing again touches no file", installs_once(repo));
    check(&mut counts, "no installed file knows the prefix", knows_no_path(&moved, &repo.prefix()));
    for project in PROJECTS {
        for (place, prefix) in [("in place", repo.prefix()), ("moved", moved.clone())] {
            let name = format!("{} project, prefix {place}", project.name);
            let dir = work.join(place.replace(' ', "-")).join(project.name);
            let sources = repo.root.join("tests/mpi-suite/build");
            if let Err(missing) = tools::need(project.tools) {
                println!("skip  {name}: {missing:#}");
                counts.skipped += 1;
                continue;
            }
            check(&mut counts, &name, build(project, &sources, &dir, &prefix));
        }
    }
    Ok(counts)
}

fn build(project: &Project, sources: &Path, dir: &Path, prefix: &Path) -> Result<()> {
    install::copy_folder(&sources.join(project.name), dir)?;
    for client in ["client.c", "client.cpp"] {
        install::put_file(&sources.join(client), &dir.join(client))?;
    }
    for command in project.commands {
        let mut words = command.split(' ');
        let mut command = Command::new(words.next().expect("a command has a name"));
        command.args(words).current_dir(dir).env("PATH", path_with(&prefix.join("bin"))?);
        command.env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig")).env("CTEST_OUTPUT_ON_FAILURE", "1");
        // What would lead to another MPI, or to the cargo that runs us.
        for variable in ["MPICC", "MPICXX", "MPI_HOME", "CC", "CXX", "MAKEFLAGS", "MFLAGS", "LD_LIBRARY_PATH"] {
            command.env_remove(variable);
        }
        exec::quiet(&mut command)?;
    }
    Ok(())
}

fn path_with(bin: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths([bin.to_owned()].into_iter().chain(env::split_paths(&path)))?)
}

/// Programs' makefiles look at the times of what is installed.
fn installs_once(repo: &Repo) -> Result<()> {
    let times = || -> Result<Vec<_>> {
        let time = |file: PathBuf| Ok((file.metadata()?.modified()?, file));
        files(&repo.prefix())?.into_iter().map(time).collect()
    };
    let before = times()?;
    install::install(repo, &repo.prefix(), install::QUICK)?;
    for ((then, file), (now, _)) in before.iter().zip(times()?) {
        if *then != now {
            bail!("{} was written anew", file.display());
        }
    }
    Ok(())
}

/// The copy proves nothing while the original is there to be found, so no file may name it.
fn knows_no_path(copy: &Path, prefix: &Path) -> Result<()> {
    let needle = prefix.as_os_str().as_encoded_bytes();
    for file in files(copy)? {
        let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
        if content.windows(needle.len()).any(|window| window == needle) {
            bail!("{} holds {}", file.display(), prefix.display());
        }
    }
    Ok(())
}

fn files(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}
