//! rsmpi's examples: the crate `mpi` from the registry, built through our `mpicc` as its users build it, each example at several numbers of
//! ranks. They check themselves: one that is content leaves with 0.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mpi_suite::report::{Dir, Excluded, NotPassed, Report};
use mpi_suite::run::{self, Job};
use mpi_suite::{Mpi, client};

use super::excluded::Exclusions;
use super::place::Place;
use super::progress::Progress;
use super::{Options, mpich};
use crate::{exec, install};

const VERSION: &str = "0.8.2";

/// The numbers of ranks, each a directory of the report.
const RUNS: [(&str, usize); 3] = [("n1", 1), ("n2", 2), ("n3", 3)];

/// Seconds for one example.
const LIMIT: u64 = 60;

pub fn run(options: &Options, prefix: &Path) -> Result<Report> {
    let runs: Vec<_> = RUNS.into_iter().filter(|(dir, _)| options.wants_dir(dir)).collect();
    if runs.is_empty() {
        bail!("rsmpi's examples have the directories n1, n2 and n3 (numbers of ranks)");
    }
    client::need_libclang()?;
    let place = Place::open("rsmpi", VERSION, prefix)?;
    let folder = place.root.join("source");
    place.once("built", prefix, || build(&place, &folder, prefix))?;
    fs::create_dir_all(&options.kept)?;
    let examples = examples(&folder)?;
    let exclusions = Exclusions::load("rsmpi.toml")?;
    let mut report = Report { suite: "rsmpi".into(), version: VERSION.into(), ..Report::default() };
    for (name, ranks) in runs {
        let start = Instant::now();
        let mut dir = Dir { dir: name.into(), ..Dir::default() };
        let progress = Progress::new(name, examples.len());
        for (index, example) in examples.iter().enumerate() {
            progress.at(index);
            if options.filter.is_some_and(|filter| !filter.is_match(&format!("{name}/{example}"))) {
                continue;
            }
            if let Some(reason) = exclusions.reason(example, ranks) {
                dir.excluded.push(Excluded { name: example.clone(), reason: reason.into() });
                continue;
            }
            dir.listed += 1;
            let program = place.root.join("target/debug/examples").join(example);
            match run_one(options, prefix, &program, ranks, &options.kept.join(format!("{name}.{example}")))? {
                None => dir.pass += 1,
                Some(why) => {
                    println!("FAIL  {name}/{example}: {why}");
                    dir.fail.push(NotPassed { name: example.clone(), why });
                }
            }
        }
        drop(progress);
        dir.seconds = start.elapsed().as_secs_f64();
        println!("{name}: {} of {} passed in {:.0} s", dir.pass, dir.listed, dir.seconds);
        report.ranks = report.ranks.max(ranks);
        report.dirs.push(dir);
    }
    Ok(report)
}

fn build(place: &Place, folder: &Path, prefix: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(folder);
    install::copy_folder(&fetch(place)?, folder)?;
    eprintln!("xtask: building rsmpi {VERSION}");
    let mpicc = prefix.join("bin/mpicc");
    let mut cargo = cargo(folder);
    cargo.args(["build", "--examples", "--features", "derive,complex", "--target-dir"]).arg(place.root.join("target"));
    cargo.env("MPICC", &mpicc);
    // As the linker, `mpicc` says where the library will be found at run time; the crate takes only its name from it.
    cargo.env("RUSTFLAGS", format!("-Clinker={}", mpicc.display()));
    exec::logged(&mut cargo, &place.root.join("build.log"))
}

/// The crate's source, as a package that depends on it gets it.
fn fetch(place: &Place) -> Result<PathBuf> {
    let folder = place.root.join("fetch");
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let manifest = format!("[workspace]\n[package]\nname = \"fetch\"\nedition = \"2021\"\n[dependencies]\nmpi = \"={VERSION}\"\n");
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let packages = packages(&folder)?;
    let found = packages.iter().find(|package| package["name"] == "mpi");
    let manifest = found.and_then(|package| package["manifest_path"].as_str()).context("cargo fetched no package `mpi`")?;
    Ok(Path::new(manifest).parent().context("a manifest lies in a folder")?.to_owned())
}

fn examples(folder: &Path) -> Result<Vec<String>> {
    let packages = packages(folder)?;
    let targets = packages.iter().filter(|package| package["name"] == "mpi").filter_map(|package| package["targets"].as_array());
    let examples = targets.flatten().filter(|target| target["kind"][0] == "example");
    let mut names: Vec<String> = examples.filter_map(|target| Some(target["name"].as_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

fn packages(folder: &Path) -> Result<Vec<serde_json::Value>> {
    let text = exec::quiet(cargo(folder).args(["metadata", "--format-version=1", "--quiet"]))?;
    let mut metadata: serde_json::Value = serde_json::from_str(&text).context("in what cargo metadata says")?;
    match metadata["packages"].take() {
        serde_json::Value::Array(packages) => Ok(packages),
        _ => bail!("cargo metadata lists no packages"),
    }
}

/// Cargo in a package that is none of ours: what the calling cargo says about us is none of its business.
fn cargo(folder: &Path) -> Command {
    let mut cargo = exec::cargo();
    cargo.current_dir(folder);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("CARGO_")) {
        if name != "CARGO_HOME" {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Why it did not run right.
fn run_one(options: &Options, prefix: &Path, program: &Path, ranks: usize, stem: &Path) -> Result<Option<String>> {
    let limit = options.limit.map_or(LIMIT, |limit| limit.min(LIMIT));
    let mut mpi = Mpi::installed(prefix);
    mpi.launcher_args = options.launcher_args.clone();
    mpi.launcher_args.extend(["--timeout".into(), limit.to_string().into()]);
    let job = Job {
        program,
        ranks,
        args: &[],
        env: Vec::new(),
        preload: None,
        dir: None,
        stdin: None,
        limit: Duration::from_secs(limit + 15),
    };
    let ended = run::launch(&mpi, &job, stem)?;
    let why = match ended.status {
        Some(status) if !status.success() => Some(format!("{}{}", exec::ending(status), mpich::first_words(&ended))),
        Some(_) if !ended.left.is_empty() => Some(format!("left behind: {}", ended.left.join(", "))),
        Some(_) => None,
        None => Some(format!("the launcher did not end within {:.0} s", ended.seconds)),
    };
    if why.is_none() {
        let (out, err) = run::output_files(stem);
        fs::remove_file(out).and_then(|()| fs::remove_file(err))?;
    }
    Ok(why)
}
