//! What the launcher's tests have in common: running `hpvmrun` with a deadline, and looking whether it
//! left anything behind.

#![allow(dead_code, reason = "each test file uses its part")]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::os::unix::process::ExitStatusExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

pub const HPVMRUN: &str = env!("CARGO_BIN_EXE_hpvmrun");
pub const FAKE: &str = env!("CARGO_BIN_EXE_fake_rank");

/// How a run of hpvmrun ended.
#[derive(Debug)]
pub struct Outcome {
    /// 128 + signal if it was killed.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
}

/// A running hpvmrun. All processes of its job carry a mark in their environment.
pub struct Run {
    pub child: Child,
    pub mark: String,
    start: Instant,
}

/// A mark that no other process has.
pub fn mark() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("HPVM_TEST_MARK={}.{}.", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub fn command(words: &[&str]) -> (Command, String) {
    let mark = mark();
    let (name, value) = mark.split_once('=').unwrap();
    let mut command = Command::new(HPVMRUN);
    command
        .args(words)
        .env(name, value)
        .env("HPVM_CONFIG", "")
        .env("HPVM_MACHINES", "none")
        .env_remove("XDG_CONFIG_HOME")
        .env("HOME", "/nonexistent");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // SAFETY: `signal` may be called between fork and exec.
    unsafe { command.pre_exec(heed_signals) };
    (command, mark)
}

/// Whoever runs the tests in the background, or under `nohup`, ignores these, and ignoring is inherited.
fn heed_signals() -> std::io::Result<()> {
    for number in [libc::SIGINT, libc::SIGQUIT, libc::SIGHUP] {
        // SAFETY: the default action of a signal.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    Ok(())
}

/// A program in `folder` that stands for ssh: it runs the command here. `login` is what the shell there says and does first.
pub fn fake_ssh(folder: &Path, login: &str) -> PathBuf {
    let ssh = folder.join("ssh");
    let script = format!(
        "#!/bin/sh\n{login}\nwhile [ \"$1\" != -T ]; do shift; done\nexport SSH_CONNECTION='127.0.0.1 9 127.0.0.1 22'\nexec sh -c \"$3\"\n"
    );
    // By a process of its own: one that is forked meanwhile would hold it open for writing.
    let write = "printf %s \"$1\" > \"$0\"; chmod 755 \"$0\"";
    let written = Command::new("sh").args(["-c", write]).arg(&ssh).arg(&script).status().unwrap();
    assert!(written.success());
    ssh
}

/// A terminal of 80 columns: our side, and that of the programs in it.
pub fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&theirs, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (ours.into(), theirs.into())
}

pub fn start_command((mut command, mark): (Command, String)) -> Run {
    Run { child: command.spawn().unwrap(), mark, start: Instant::now() }
}

pub fn start(words: &[&str]) -> Run {
    start_command(command(words))
}

/// Runs to the end, and makes sure that nothing is left.
#[track_caller]
pub fn run(words: &[&str]) -> Outcome {
    start(words).finish()
}

/// Runs with longer and longer times until `there` is pleased: what has to happen before the time is up takes longer on a busy machine.
#[track_caller]
pub fn within_some_time(first: f64, mut run: impl FnMut(&str) -> Outcome, there: impl Fn(&Outcome) -> bool) -> Outcome {
    let mut seconds = first;
    loop {
        let outcome = run(&seconds.to_string());
        if there(&outcome) || seconds > 20.0 {
            return outcome;
        }
        seconds *= 2.0;
    }
}

/// The same with something to read.
#[track_caller]
pub fn run_with_stdin(words: &[&str], stdin: &[u8]) -> Outcome {
    let (mut command, mark) = command(words);
    command.stdin(Stdio::piped());
    let mut run = start_command((command, mark));
    let mut pipe = run.child.stdin.take().unwrap();
    thread::scope(|scope| {
        // A rank that does not read to the end is not an error here.
        scope.spawn(move || pipe.write_all(stdin).is_ok());
        run.finish()
    })
}

impl Run {
    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    #[track_caller]
    pub fn finish(mut self) -> Outcome {
        let (mut out, mut err) = (self.child.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let read = |from: &mut dyn std::io::Read| {
            let mut bytes = Vec::new();
            from.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let (stdout, stderr, status) = thread::scope(|scope| {
            let stdout = scope.spawn(move || read(&mut out));
            let stderr = scope.spawn(move || read(&mut err));
            let status = self.wait(Duration::from_secs(30));
            (stdout.join().unwrap(), stderr.join().unwrap(), status)
        });
        let outcome = Outcome { status, stdout, stderr, took: self.start.elapsed() };
        assert_nothing_left(&self.mark);
        outcome
    }

    /// Waits for hpvmrun alone; its output is not looked at.
    #[track_caller]
    pub fn wait(&mut self, most: Duration) -> i32 {
        let until = Instant::now() + most;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap());
            }
            if Instant::now() > until {
                let alive = marked(&self.mark);
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                panic!("hpvmrun did not end within {most:?}; processes {alive:?}");
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn signal(&self, number: i32) {
        let signal = rustix::process::Signal::from_named_raw(number).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(self.pid()).unwrap(), signal).unwrap();
    }

    /// Waits until so many processes of the job have a command line that begins with `text`.
    #[track_caller]
    pub fn wait_for(&self, count: usize, text: &str) -> Vec<i32> {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let found: Vec<i32> =
                marked(&self.mark).into_iter().filter(|pid| command_line(*pid).starts_with(text)).collect();
            if found.len() >= count {
                return found;
            }
            assert!(Instant::now() < until, "only {} of {count} processes with {text:?} appeared", found.len());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

pub fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).replace('\0', " ")
}

/// `comm`, which for keepers is their own name.
pub fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// The third field of `stat`: `R`, `S`, `T` …
pub fn state(pid: i32) -> char {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit(") ").next().and_then(|rest| rest.chars().next()).unwrap_or('?')
}

/// Processes whose environment has the mark: hpvmrun, keepers, ranks and all that they started.
pub fn marked(mark: &str) -> Vec<i32> {
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    pids.filter(|pid: &i32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes())
    })
    .collect()
}

/// The survivors of a kill need a moment, and beside programs that fork all the time a long one.
#[track_caller]
pub fn assert_nothing_left(mark: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let left = marked(mark);
        if left.is_empty() {
            return;
        }
        let line = |pid: &i32| format!("{pid} {} {} {}", state(*pid), name(*pid), command_line(*pid));
        let lines: Vec<_> = left.iter().map(line).collect();
        assert!(Instant::now() < until, "left behind: {lines:#?}");
        thread::sleep(Duration::from_millis(5));
    }
}
