//! Running other programs: loudly (their output is ours), quietly (their output only if they fail), or captured with a
//! deadline.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// The command as a person would type it.
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs with our output; fails if it fails.
pub fn loud(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {}", shown(command), ending(status));
    }
    Ok(())
}

/// Runs and returns its standard output; its messages are shown only if it fails.
pub fn quiet(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {}", shown(command)))?;
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stdout);
        let _ = std::io::stderr().write_all(&output.stderr);
        bail!("{} ended with {}", shown(command), ending(output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// How a program ended, within its time or not.
pub struct Outcome {
    /// `None`: killed at the deadline.
    pub status: Option<ExitStatus>,
    pub seconds: f64,
}

impl Outcome {
    pub fn success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub fn ending(&self) -> String {
        match self.status {
            Some(status) => ending(status),
            None => format!("no end within {:.0} s", self.seconds),
        }
    }
}

/// Runs with standard output and error in the file `log`, as the leader of a process group of its own that is killed as
/// a whole at the deadline.
///
/// Output goes to a file, not through a pipe: a descendant that outlives the program cannot keep us waiting for the end
/// of a pipe, and what was written before a kill is there to read.
pub fn with_deadline(command: &mut Command, log: &Path, deadline: Duration) -> Result<Outcome> {
    let file = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).process_group(0);
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run {}", shown(command)))?;
    let mut pause = Duration::from_millis(1);
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if start.elapsed() >= deadline {
            break None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    };
    let group = rustix::process::Pid::from_child(&child);
    if status.is_none() {
        // A chance to clean up first: hpvmrun ends its ranks on SIGTERM.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::TERM);
        let grace = Instant::now();
        while child.try_wait()?.is_none() && grace.elapsed() < Duration::from_secs(2) {
            thread::sleep(Duration::from_millis(10));
        }
    }
    // Also after a regular end: nothing of this group may stay to disturb what runs next.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    child.wait()?;
    Ok(Outcome { status, seconds: start.elapsed().as_secs_f64() })
}

fn ending(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// Where a program of this name is found by `PATH`.
pub fn which(name: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file())
}
