//! mpi4py's own tests: the package's source from the Python registry, built for the standard ABI with our `mpicc` in a virtual environment
//! of the prefix's own, imported with every symbol bound at once. One run is the whole suite at one number of ranks; every rank tells
//! what it saw ([`transcript`](super::transcript)), and a test fails if it fails on one of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use mpi_suite::Mpi;
use mpi_suite::report::{Dir, Excluded, NotPassed, Report};
use mpi_suite::run::{self, Ended, Job};

use super::excluded::Exclusions;
use super::place::Place;
use super::progress::Progress;
use super::transcript::Transcript;
use super::{Options, source};
use crate::{exec, tools};

const VERSION: &str = "4.1.2";

/// The numbers of ranks, each a directory of the report.
const RUNS: [(&str, usize); 3] = [("n1", 1), ("n2", 2), ("n4", 4)];

/// Seconds for one run.
const LIMIT: u64 = 300;

pub fn run(options: &Options, prefix: &Path) -> Result<Report> {
    let runs: Vec<_> = RUNS.into_iter().filter(|(dir, _)| options.wants_dir(dir)).collect();
    if runs.is_empty() {
        bail!("mpi4py's tests have the directories n1, n2 and n4 (numbers of ranks)");
    }
    let package = Package::open(prefix)?;
    fs::create_dir_all(&options.kept)?;
    let mut report = Report { suite: "mpi4py".into(), version: VERSION.into(), ..Report::default() };
    for (name, ranks) in runs {
        let dir = run_dir(options, &package, name, ranks, prefix)?;
        println!("{name}: {} of {} passed in {:.0} s", dir.pass, dir.listed, dir.seconds);
        report.ranks = report.ranks.max(ranks);
        report.dirs.push(dir);
    }
    Ok(report)
}

/// The package built and installed for one prefix.
struct Package {
    place: Place,
}

impl Package {
    fn open(prefix: &Path) -> Result<Package> {
        tools::need(&[tools::PYTHON, tools::PYTHON_CONFIG, tools::CC])?;
        let package = Package { place: Place::open("mpi4py", VERSION, prefix)? };
        package.make_environment()?;
        package.place.once("installed", prefix, || package.build(prefix))?;
        Ok(package)
    }

    fn root(&self) -> &Path {
        &self.place.root
    }

    fn bin(&self, name: &str) -> PathBuf {
        self.root().join("environment/bin").join(name)
    }

    fn tests(&self) -> PathBuf {
        self.root().join("source/test")
    }

    fn pip(&self) -> Command {
        let mut pip = Command::new(self.bin("pip"));
        pip.env("PIP_DISABLE_PIP_VERSION_CHECK", "1");
        pip
    }

    /// With numpy: without it, the tests of its arrays are skipped.
    fn make_environment(&self) -> Result<()> {
        let whole = self.root().join("environment/complete");
        if whole.exists() {
            return Ok(());
        }
        if !Command::new("python3").args(["-c", "import ensurepip, venv"]).output()?.status.success() {
            tools::install(&["Python's venv"], &["python3-venv"])?;
        }
        exec::quiet(Command::new("python3").args(["-m", "venv", "--clear"]).arg(self.root().join("environment")))?;
        exec::quiet(self.pip().args(["install", "--quiet", "numpy"]))?;
        Ok(fs::write(whole, "")?)
    }

    fn build(&self, prefix: &Path) -> Result<()> {
        let tarball = source::folder()?.join(format!("mpi4py-{VERSION}.tar.gz"));
        if !tarball.exists() {
            eprintln!("xtask: fetching mpi4py {VERSION}");
            let package = format!("mpi4py=={VERSION}");
            let mut download = self.pip();
            download.args(["download", "--quiet", "--no-binary=mpi4py", "--no-deps", "--dest"]).arg(source::folder()?);
            exec::quiet(download.arg(package))?;
        }
        let folder = self.root().join("source");
        let _ = fs::remove_dir_all(&folder);
        source::unpack(&tarball, &folder, &[])?;
        eprintln!("xtask: building mpi4py {VERSION}");
        let mut install = self.pip();
        install.args(["install", "--force-reinstall", "--no-deps"]).arg(&folder);
        install.env("MPICC", prefix.join("bin/mpicc")).env("MPI4PY_BUILD_MPIABI", "1");
        // One generated file of 10 MB: optimising it takes ten times as long as running all tests with it.
        install.env("CFLAGS", "-O0 -g0");
        exec::logged(&mut install, &self.root().join("build.log"))
    }

    /// The names of the test modules, in the order in which they run.
    fn modules(&self) -> Result<Vec<String>> {
        let names = fs::read_dir(self.tests())?.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut modules: Vec<String> =
            names.filter(|name| name.starts_with("test_")).filter_map(|name| Some(name.strip_suffix(".py")?.to_owned())).collect();
        modules.sort();
        Ok(modules)
    }
}

fn run_dir(options: &Options, package: &Package, name: &str, ranks: usize, prefix: &Path) -> Result<Dir> {
    let start = Instant::now();
    let mut dir = Dir { dir: name.into(), ..Dir::default() };
    let exclusions = Exclusions::load("mpi4py.toml")?;
    let mut modules = package.modules()?;
    let is_wanted = |module: &String| options.filter.is_none_or(|filter| filter.is_match(&format!("{name}/{module}")));
    modules.retain(is_wanted);
    let mut patterns = Vec::new();
    for exclusion in exclusions.at(ranks) {
        match exclusion.name.split_once('.') {
            None => modules.retain(|module| *module != exclusion.name),
            // A class or a test.
            Some(_) => patterns.extend(["-x".to_owned(), format!("{}*", exclusion.name)]),
        }
        dir.excluded.push(Excluded { name: exclusion.name.clone(), reason: exclusion.reason.clone() });
    }
    if modules.is_empty() {
        return Ok(dir);
    }
    let output = options.kept.join(name);
    let _ = fs::remove_dir_all(&output);
    let limit = options.limit.map_or(LIMIT, |limit| limit.min(LIMIT));
    let mut mpi = Mpi::installed(prefix);
    mpi.launcher_args = options.launcher_args.clone();
    mpi.launcher_args.extend(["--timeout".into(), limit.to_string().into(), "--output".into(), output.clone().into()]);
    let only = format!(r"^({})\.py$", modules.join("|"));
    let mut args: Vec<String> = ["main.py", "--verbose", "--no-builddir", "-i", &only].map(str::to_owned).into();
    args.extend(patterns);
    let job = Job {
        program: &package.bin("python"),
        ranks,
        args: &args,
        // No lazy binding: a function that is missing shows when the module is imported.
        env: vec![("LD_BIND_NOW".into(), "1".into())],
        preload: None,
        dir: Some(&package.tests()),
        stdin: None,
        limit: Duration::from_secs(limit + 15),
    };
    let ended = watched(&mpi, &job, &options.kept.join(format!("{name}.hpvmrun")), name, &output, &modules)?;
    let transcripts: Vec<Transcript> = (0..ranks).map(|rank| transcript(&output, rank)).collect();
    collect(&mut dir, &transcripts, &ended);
    for test in &dir.fail {
        println!("FAIL  {name}/{}: {}", test.name, test.why);
    }
    if dir.fail.is_empty() {
        fs::remove_dir_all(&output).with_context(|| format!("cannot remove {}", output.display()))?;
    }
    dir.seconds = start.elapsed().as_secs_f64();
    Ok(dir)
}

/// What a rank has said so far.
fn transcript(output: &Path, rank: usize) -> Transcript {
    let text = fs::read(output.join(format!("rank.{rank}.err"))).unwrap_or_default();
    Transcript::read(&String::from_utf8_lossy(&text))
}

/// Launches and says meanwhile how far rank 0 is.
fn watched(mpi: &Mpi, job: &Job, stem: &Path, name: &str, output: &Path, modules: &[String]) -> Result<Ended> {
    let progress = Progress::new(name, modules.len());
    thread::scope(|scope| {
        let running = scope.spawn(|| run::launch(mpi, job, stem));
        while !running.is_finished() {
            thread::sleep(Duration::from_secs(1));
            let module = transcript(output, 0).module;
            progress.at(modules.iter().position(|name| Some(name) == module.as_ref()).unwrap_or(0));
        }
        running.join().expect("the launch does not panic")
    })
}

/// A test counts once, by the worst that happened to it on any rank.
fn collect(dir: &mut Dir, transcripts: &[Transcript], ended: &Ended) {
    let mut failed: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (rank, transcript) in transcripts.iter().enumerate() {
        for (name, why) in &transcript.failed {
            failed.entry(name).or_default().push(format!("rank {rank}: {why}"));
        }
    }
    let skipped = transcripts.first().map(|transcript| &transcript.skipped);
    let skipped = skipped.into_iter().flatten().filter(|(name, _)| !failed.contains_key(name.as_str()));
    dir.skip = skipped.map(|(name, why)| NotPassed { name: name.clone(), why: why.clone() }).collect();
    dir.fail = failed.iter().map(|(name, why)| NotPassed { name: (*name).into(), why: why.join("; ") }).collect();
    let how = match ended.status {
        Some(status) => exec::ending(status),
        None => "a launcher that did not end".into(),
    };
    match transcripts.iter().enumerate().find(|(_, transcript)| transcript.count.is_none()) {
        Some((rank, transcript)) => {
            let name = transcript.current.clone().unwrap_or_else(|| "start".into());
            let why = format!("rank {rank} did not get beyond it; {how}: {}", super::mpich::first_words(ended));
            dir.fail.push(NotPassed { name, why });
        }
        // All tests passed and yet the job did not.
        None if failed.is_empty() && !ended.status.is_some_and(|status| status.success()) => {
            dir.fail.push(NotPassed { name: "end".into(), why: how });
        }
        None if !ended.left.is_empty() => {
            dir.fail.push(NotPassed { name: "end".into(), why: format!("left behind: {}", ended.left.join(", ")) });
        }
        None => {}
    }
    let done = transcripts.iter().filter_map(|transcript| transcript.count).max();
    dir.listed = done.unwrap_or(0).max(dir.fail.len() + dir.skip.len());
    dir.pass = dir.listed - dir.fail.len() - dir.skip.len();
}
