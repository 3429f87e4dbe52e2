//! One run of one program: launch, wait within the limit, judge, look for leftovers.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use regex::Regex;

use crate::leftovers::{self, MARK, Picture};
use crate::manifest::{Exit, ExitWord, Expect};
use crate::{Mpi, sys};

/// What to launch.
#[derive(Debug)]
pub struct Job<'a> {
    pub program: &'a Path,
    pub ranks: usize,
    pub args: &'a [String],
    pub env: Vec<(String, String)>,
    pub preload: Option<&'a Path>,
    /// Where it runs; ours when `None`.
    pub dir: Option<&'a Path>,
    /// What rank 0 reads; nothing when `None`.
    pub stdin: Option<&'a Path>,
    pub limit: Duration,
}

/// How it went. `output` is the folder's file stem of the kept output.
#[derive(Debug)]
pub struct Ended {
    /// `None`: the limit was reached and everything was killed.
    pub status: Option<ExitStatus>,
    pub stdout: String,
    pub stderr: String,
    pub left: Vec<String>,
    pub seconds: f64,
}

/// Launches a job and waits for its end. Standard output and error go to files `<stem>.out` and `<stem>.err`: a
/// process that survives the job and holds a pipe open could otherwise keep the runner waiting.
pub fn launch(mpi: &Mpi, job: &Job, stem: &Path) -> Result<Ended> {
    static RUNS: AtomicU64 = AtomicU64::new(0);
    let mark = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
    let (out, err) = output_files(stem);
    let before = Picture::take();
    let start = Instant::now();
    let mut child = command(mpi, job)
        .env(MARK, &mark)
        .stdin(stdin(job)?)
        .stdout(File::create(&out).with_context(|| format!("creating {}", out.display()))?)
        .stderr(File::create(&err)?)
        .process_group(0)
        .spawn()
        .with_context(|| format!("starting {}", mpi.mpirun.display()))?;
    let status = wait(&mut child, job.limit)?;
    let seconds = start.elapsed().as_secs_f64();
    // After a time-out the runner itself has to clean up; what survives SIGTERM of a healthy launcher is its fault.
    if status.is_none() {
        stop(&mut child, &mark)?;
    }
    let left = before.differences(&mark);
    for process in leftovers::marked(&mark) {
        sys::kill(process.pid, libc::SIGKILL);
    }
    Ok(Ended { status, stdout: read_lossy(&out), stderr: read_lossy(&err), left, seconds })
}

/// The two files of a run's output.
pub fn output_files(stem: &Path) -> (PathBuf, PathBuf) {
    let with = |ending: &str| PathBuf::from(format!("{}.{ending}", stem.display()));
    (with("out"), with("err"))
}

/// Why the run did not show what was expected, or `None` when it did.
pub fn judge(expect: &Expect, ended: &Ended, nothing_may_be_left: bool) -> Option<String> {
    let Some(status) = ended.status else {
        return Some(format!("still running after {:.0} s", ended.seconds));
    };
    let ending = describe(status);
    let exit_is_right = match expect.exit {
        None => status.success(),
        Some(Exit::Status(wanted)) => status.code() == Some(wanted),
        Some(Exit::Word(ExitWord::Nonzero)) => status.code().is_some_and(|code| code != 0),
    };
    if !exit_is_right {
        return Some(format!("{ending}{}", last_words(ended)));
    }
    if expect.exit.is_none() && expect.stdout.is_none() && !ended.stdout.lines().any(|line| line == "No Errors") {
        return Some(format!("{ending}, but \"No Errors\" was not said{}", last_words(ended)));
    }
    for (name, pattern, text) in [("stderr", &expect.stderr, &ended.stderr), ("stdout", &expect.stdout, &ended.stdout)]
    {
        let Some(pattern) = pattern else { continue };
        // The manifest has checked the expression.
        if !Regex::new(pattern).is_ok_and(|regex| regex.is_match(text)) {
            return Some(format!("{name} does not match /{pattern}/{}", last_words(ended)));
        }
    }
    if ended.stderr.contains("panicked at") {
        return Some(format!("a panic{}", last_words(ended)));
    }
    if nothing_may_be_left && !ended.left.is_empty() {
        return Some(format!("left behind: {}", ended.left.join(", ")));
    }
    None
}

fn stdin(job: &Job) -> Result<Stdio> {
    match job.stdin {
        Some(path) => Ok(File::open(path).with_context(|| format!("opening {}", path.display()))?.into()),
        None => Ok(Stdio::null()),
    }
}

fn command(mpi: &Mpi, job: &Job) -> Command {
    let mut command = Command::new(&mpi.mpirun);
    if let Some(dir) = job.dir {
        command.current_dir(dir);
    }
    command.args(&mpi.launcher_args).arg("-n").arg(job.ranks.to_string());
    // Through `env`, so that the launcher itself is not preloaded into.
    if let Some(library) = job.preload {
        command.arg("env").arg(format!("LD_PRELOAD={}", library.display()));
    }
    command.args(&mpi.wrapper).arg(job.program).args(job.args);
    command.envs(mpi.env.iter().map(|(name, value)| (name, value)));
    command.envs(job.env.iter().map(|(name, value)| (name, value)));
    command
}

fn wait(child: &mut Child, limit: Duration) -> Result<Option<ExitStatus>> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("waiting for the launcher")? {
            return Ok(Some(status));
        }
        let waited = start.elapsed();
        if waited >= limit {
            return Ok(None);
        }
        // Few wake-ups, and yet how long the job took is known to a few percent.
        std::thread::sleep((waited / 64).clamp(Duration::from_micros(200), Duration::from_millis(20)));
    }
}

/// Ends a job that ran out of time: politely, so that the launcher can report who waits for whom, then for certain.
fn stop(child: &mut Child, mark: &str) -> Result<()> {
    let pid = child.id() as i32;
    sys::kill(pid, libc::SIGTERM);
    if wait(child, Duration::from_secs(3))?.is_none() {
        sys::kill(-pid, libc::SIGKILL);
        for process in leftovers::marked(mark) {
            sys::kill(process.pid, libc::SIGKILL);
        }
        child.wait()?;
    }
    Ok(())
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("launcher killed by signal {signal}"),
        (None, None) => "an unknown ending".into(),
    }
}

/// The first lines of standard error, which say what went wrong first.
fn last_words(ended: &Ended) -> String {
    let text = if ended.stderr.trim().is_empty() { &ended.stdout } else { &ended.stderr };
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).take(6).collect();
    if lines.is_empty() { String::new() } else { format!("\n      {}", lines.join("\n      ")) }
}

fn read_lossy(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}
