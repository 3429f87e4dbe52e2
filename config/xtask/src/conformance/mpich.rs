//! MPICH's own test suite against our prefix: its source from the distribution, built with our `mpicc` in a tree of the
//! prefix's own in the cache, run by its own lists.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use mpi_suite::Mpi;
use mpi_suite::report::{Dir, Excluded, NotPassed, Report};
use mpi_suite::run::{self, Ended, Job};

use super::known::Known;
use super::place::Place;
use super::progress::Progress;
use super::testlist::{self, Entry, Pass};
use super::{Options, examples, source};
use crate::{exec, tools};

/// The directories that are run when none is named: what MPI-1 and its direct successors cover.
pub const CORE: [&str; 10] = ["attr", "coll", "comm", "datatype", "errhan", "group", "info", "init", "pt2pt", "topo"];

/// Runs the asked-for directories; `examples` means the example programs of the same source package.
pub fn run(options: &Options, prefix: &Path) -> Result<Report> {
    let core = || CORE.iter().map(|dir| dir.to_string()).collect();
    let dirs: Vec<String> = if options.dirs.is_empty() { core() } else { options.dirs.to_vec() };
    tools::need(&[tools::MAKE])?;
    let tree = Tree::open(prefix)?;
    // What other versions of the suite list may not be in this one. Some lists are made by the suite's configuration.
    let has_list = |dir: &str| ["testlist", "testlist.in"].iter().any(|list| tree.tests().join(dir).join(list).is_file());
    let (listed, absent): (Vec<_>, Vec<_>) = dirs.into_iter().partition(|dir| dir == examples::DIR || has_list(dir));
    for dir in &absent {
        println!("{dir}: MPICH {} lists no tests there", tree.version);
    }
    if listed.is_empty() {
        bail!("nothing to run");
    }
    let tests: Vec<&str> = listed.iter().map(String::as_str).filter(|dir| *dir != examples::DIR).collect();
    if !tests.is_empty() {
        tree.configure(prefix)?;
        tree.build(&tests)?;
    }
    fs::create_dir_all(&options.kept)?;
    let mut report = Report { suite: "mpich".into(), version: tree.version.clone(), ..Report::default() };
    report.dirs.extend(absent.into_iter().map(|dir| Dir { dir, ..Dir::default() }));
    for name in &listed {
        let start = Instant::now();
        let mut dir = if name == examples::DIR {
            examples::run(&tree.examples(), prefix, &options.kept)?
        } else {
            run_dir(options, &tree.tests().join(name), name, prefix, &mut report.ranks)?
        };
        dir.seconds = start.elapsed().as_secs_f64();
        println!("{name}: {} of {} passed in {:.0} s", dir.pass, dir.listed, dir.seconds);
        report.dirs.push(dir);
    }
    Ok(report)
}

/// The suite's tree.
struct Tree {
    place: Place,
    version: String,
}

impl Tree {
    fn open(prefix: &Path) -> Result<Tree> {
        let (tarball, version) = source::tarball("mpich")?;
        let tree = Tree { place: Place::open("mpich", &version, prefix)?, version };
        let whole = tree.place.root.join("unpacked");
        if !whole.exists() {
            let top = format!("mpich-{}", tree.version);
            source::unpack(&tarball, &tree.place.root, &[
                &format!("{top}/test/mpi"),
                &format!("{top}/examples"),
                // Configure reads the version from there.
                &format!("{top}/maint"),
            ])?;
            fs::write(&whole, "")?;
        }
        Ok(tree)
    }

    fn tests(&self) -> PathBuf {
        self.place.root.join("test/mpi")
    }

    fn examples(&self) -> PathBuf {
        self.place.root.join("examples")
    }

    fn configure(&self, prefix: &Path) -> Result<()> {
        self.place.once("configured", prefix, || {
            eprintln!("xtask: configuring MPICH's suite in {}", self.tests().display());
            // In the tree: an out-of-tree configure leaves no lists.
            let mut configure = Command::new("./configure");
            configure
                .current_dir(self.tests())
                .arg(format!("--with-mpi={}", prefix.display()))
                .args(["--enable-strictmpi", "--disable-cxx", "--disable-fortran", "CFLAGS=-O1"]);
            exec::logged(&mut configure, &self.place.root.join("configure.log"))
        })
    }

    /// Makes what is stale. What does not build does not stop the rest: the run says which programs are missing.
    fn build(&self, dirs: &[&str]) -> Result<()> {
        let log = self.place.root.join("make.log");
        let output = File::create(&log)?;
        for dir in ["dtpools", "util"].iter().chain(dirs) {
            eprintln!("xtask: building {dir}");
            let status = make(&self.tests().join(dir)).stdout(output.try_clone()?).stderr(output.try_clone()?).status()?;
            if !status.success() && ["dtpools", "util"].contains(dir) {
                bail!("the suite's helper library in {dir} does not build; see {}", log.display());
            }
        }
        Ok(())
    }
}

fn make(dir: &Path) -> Command {
    let mut make = Command::new("make");
    make.current_dir(dir).args(["--keep-going", "--silent", "-j2"]);
    // Of the cargo that runs us: make must not wait for its job server.
    for variable in ["MAKEFLAGS", "MFLAGS", "CARGO_MAKEFLAGS"] {
        make.env_remove(variable);
    }
    make
}

/// How one test went.
enum Verdict {
    Pass,
    Fail(String),
    Skip(String),
}

fn run_dir(options: &Options, path: &Path, name: &str, prefix: &Path, ranks: &mut usize) -> Result<Dir> {
    let known = Known::load()?;
    let mut dir = Dir { dir: name.into(), ..Dir::default() };
    let wanted = |entry: &Entry| {
        options.filter.is_none_or(|filter| filter.is_match(&format!("{name}/{}", entry.name(path))))
    };
    let mut entries: Vec<Entry> = testlist::read(path)?.into_iter().filter(wanted).collect();
    let program = |entry: &Entry| entry.dir.strip_prefix(path).unwrap_or(&entry.dir).join(&entry.program);
    entries.retain(|entry| match known.excluded(name, &program(entry)) {
        Some(reason) => {
            dir.excluded.push(Excluded { name: entry.name(path), reason: reason.into() });
            false
        }
        None => true,
    });
    build_missing(&entries)?;
    *ranks = entries.iter().map(|entry| entry.ranks).fold(*ranks, usize::max);
    for (entry, verdict) in entries.iter().zip(run_all(options, &entries, path, name, prefix)?) {
        let name = entry.name(path);
        dir.listed += 1;
        match verdict {
            Verdict::Pass => dir.pass += 1,
            Verdict::Fail(why) => dir.fail.push(NotPassed { name, why }),
            Verdict::Skip(why) => dir.skip.push(NotPassed { name, why }),
        }
    }
    Ok(dir)
}

/// Some programs are in no `all` target but have a rule.
fn build_missing(entries: &[Entry]) -> Result<()> {
    for entry in entries.iter().filter(|entry| entry.skip.is_none() && !entry.dir.join(&entry.program).exists()) {
        let _ = make(&entry.dir).arg(&entry.program).output()?;
    }
    Ok(())
}

/// Runs them, `jobs` at a time; the verdicts in the entries' order.
fn run_all(options: &Options, entries: &[Entry], path: &Path, dir: &str, prefix: &Path) -> Result<Vec<Verdict>> {
    let queue = Mutex::new(entries.iter().enumerate());
    let progress = Progress::new(dir, entries.len());
    let done: Mutex<Vec<Option<Verdict>>> = Mutex::new(entries.iter().map(|_| None).collect());
    let work = || -> Result<()> {
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some((index, entry)) = next else { return Ok(()) };
            progress.at(index);
            let name = format!("{dir}/{}", entry.name(path));
            let start = Instant::now();
            let verdict = run_one(options, entry, prefix, &options.kept.join(format!("{dir}.{index}.{}", entry.program)))?;
            let seconds = start.elapsed().as_secs_f64();
            match &verdict {
                Verdict::Pass if options.verbose => println!("ok    {name}  ({seconds:.2} s)"),
                Verdict::Fail(why) => println!("FAIL  {name}  ({seconds:.2} s): {why}"),
                Verdict::Skip(why) if options.verbose => println!("skip  {name}: {why}"),
                _ => {}
            }
            done.lock().expect("no worker panics")[index] = Some(verdict);
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    let done = done.into_inner().expect("no worker panics");
    Ok(done.into_iter().map(|verdict| verdict.expect("the queue was emptied")).collect())
}

fn run_one(options: &Options, entry: &Entry, prefix: &Path, stem: &Path) -> Result<Verdict> {
    if let Some(reason) = entry.skip {
        return Ok(Verdict::Skip(reason.into()));
    }
    if entry.memory > memory_available_gb() {
        return Ok(Verdict::Skip(format!("needs {} GB of memory", entry.memory)));
    }
    let program = entry.dir.join(&entry.program);
    if !program.exists() {
        return Ok(Verdict::Fail("does not build".into()));
    }
    let limit = options.limit.map_or(entry.limit, |limit| limit.min(entry.limit));
    let mut mpi = Mpi::installed(prefix);
    mpi.launcher_args = options.launcher_args.clone();
    mpi.launcher_args.extend(entry.launcher_args.iter().map(Into::into));
    // hpvmrun knows who waits for whom, so it is the one to end what hangs; we only end a launcher that hangs itself.
    mpi.launcher_args.extend(["--timeout".into(), limit.to_string().into()]);
    let job = Job {
        program: &program,
        ranks: entry.ranks,
        args: &entry.args,
        env: entry.env.clone(),
        preload: None,
        dir: Some(&entry.dir),
        stdin: None,
        limit: Duration::from_secs(limit + 15),
    };
    let ended = run::launch(&mpi, &job, stem)?;
    let verdict = judge(entry.pass, &ended);
    if !matches!(verdict, Verdict::Fail(_)) {
        let (out, err) = run::output_files(stem);
        fs::remove_file(out).and_then(|()| fs::remove_file(err))?;
    }
    Ok(verdict)
}

fn judge(pass: Pass, ended: &Ended) -> Verdict {
    let Some(status) = ended.status else {
        return Verdict::Fail(format!("the launcher did not end within {:.0} s", ended.seconds));
    };
    let no_errors = ended.stdout.lines().any(|line| line.trim().eq_ignore_ascii_case("no errors"));
    let how = || format!("{}{}", exec::ending(status), first_words(ended));
    match pass {
        Pass::NoErrors if !status.success() => Verdict::Fail(how()),
        Pass::Failure | Pass::FailureNoErrors if status.success() => {
            Verdict::Fail(format!("should have failed, but ended with {}", how()))
        }
        Pass::NoErrors | Pass::FailureNoErrors if !no_errors => Verdict::Fail(format!("no \"No Errors\"; {}", how())),
        _ if !ended.left.is_empty() => Verdict::Fail(format!("left behind: {}", ended.left.join(", "))),
        _ => Verdict::Pass,
    }
}

/// The first line that says something; the rest is in the kept output.
pub fn first_words(ended: &Ended) -> String {
    let mut lines = ended.stderr.lines().chain(ended.stdout.lines()).map(str::trim);
    match lines.find(|line| !line.is_empty() && !line.eq_ignore_ascii_case("no errors")) {
        Some(line) => format!(": {}", line.chars().take(160).collect::<String>()),
        None => String::new(),
    }
}

fn memory_available_gb() -> f64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"));
    let kib = line.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e9
}
