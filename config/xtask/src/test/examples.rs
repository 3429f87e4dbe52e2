//! The programs of docs/examples compile without a warning and say what they should, with any number of ranks.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::report::Counts;

use super::check;
use crate::exec;
use crate::repo::Repo;

const RANKS: [usize; 4] = [1, 2, 3, 6];

pub fn run(repo: &Repo) -> Result<Counts> {
    let place = Place::new(repo)?;
    let mut counts = Counts::default();
    for (name, works) in [("hello", hello as fn(&Place) -> Result<()>), ("pi", pi), ("heat2d", heat2d)] {
        check(&mut counts, &format!("docs/examples/{name}.c"), place.compile(name).and_then(|()| works(&place)));
    }
    Ok(counts)
}

pub struct Place {
    pub prefix: PathBuf,
    sources: PathBuf,
    work: tempfile::TempDir,
}

impl Place {
    pub fn new(repo: &Repo) -> Result<Self> {
        // Virtual hosts have a /tmp of their own.
        Ok(Self { prefix: repo.prefix(), sources: repo.root.join("docs/examples"), work: tempfile::tempdir_in(&repo.target)? })
    }

    pub fn compile(&self, name: &str) -> Result<()> {
        self.compile_file(&self.sources.join(name).with_extension("c"), name)
    }

    pub fn compile_file(&self, source: &Path, name: &str) -> Result<()> {
        let flags = ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror"];
        let mut mpicc = Command::new(self.prefix.join("bin/mpicc"));
        mpicc.args(flags).arg(source).arg("-o").arg(self.file(name)).arg("-lm");
        exec::quiet(&mut mpicc).map(drop)
    }

    fn launch(&self, name: &str, ranks: usize, args: &[&str]) -> Result<String> {
        let mut hpvmrun = Command::new(self.prefix.join("bin/hpvmrun"));
        hpvmrun.args(["--timeout", "60", "-n", &ranks.to_string()]).arg(self.file(name)).args(args);
        exec::quiet(hpvmrun.current_dir(self.work.path()))
    }

    pub fn folder(&self) -> &Path {
        self.work.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.work.path().join(name)
    }
}

fn hello(place: &Place) -> Result<()> {
    for ranks in RANKS {
        let mut lines: Vec<_> = place.launch("hello", ranks, &[])?.lines().map(str::to_owned).collect();
        lines.sort();
        ensure!(lines.len() == ranks, "{} lines from {ranks} ranks", lines.len());
        for (rank, line) in lines.iter().enumerate() {
            ensure!(line.starts_with(&format!("Hello from rank {rank} of {ranks} on ")), "{line}");
        }
    }
    Ok(())
}

fn pi(place: &Place) -> Result<()> {
    for ranks in RANKS {
        let text = place.launch("pi", ranks, &["1000000"])?;
        let value = text.strip_prefix("pi is about ").and_then(|rest| rest.split(',').next()).unwrap_or_default();
        let value: f64 = value.parse().with_context(|| text.clone())?;
        ensure!((value - std::f64::consts::PI).abs() < 1e-10, "{text}");
        ensure!(text.contains(&format!("found by {ranks} processes")), "{text}");
    }
    Ok(())
}

/// The picture does not depend on how the plate is cut.
fn heat2d(place: &Place) -> Result<()> {
    let picture = |ranks: usize| -> Result<Vec<u8>> {
        let name = format!("{ranks}.png");
        place.launch("heat2d", ranks, &[&name, "100"])?;
        read(&place.file(&name))
    };
    let first = picture(1)?;
    ensure!(first.starts_with(b"\x89PNG\r\n\x1a\n") && first.ends_with(b"IEND\xaeB`\x82"), "not a PNG");
    for ranks in &RANKS[1..] {
        ensure!(picture(*ranks)? == first, "with {ranks} ranks the picture differs from that with one");
    }
    Ok(())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
