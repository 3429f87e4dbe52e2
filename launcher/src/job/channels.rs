//! The pipes between hpvmrun and the ranks, and the limit on descriptors that they need.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, Winsize};

use super::output::Ends;
use crate::keeper::RankEnds;

/// Both sides of all channels.
#[derive(Debug)]
pub struct Channels {
    pub ours: Vec<Ends>,
    pub theirs: Vec<RankEnds>,
    pub stdin: OwnedFd,
}

/// Raises hpvmrun's own limit on descriptors as far as so many ranks need it; returns what it was, for
/// the ranks. Each rank has two pipes with two ends, perhaps two files, and perhaps
/// a socket to listen at, and one with two ends for PMI.
pub fn raise_descriptor_limit(ranks: u32, files: bool) -> Result<Rlimit, String> {
    let before = getrlimit(Resource::Nofile);
    let needed = u64::from(ranks) * if files { 9 } else { 7 } + 64;
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if !enough(before.current) {
        if !enough(before.maximum) {
            let most = before.maximum.unwrap_or(u64::MAX);
            return Err(format!(
                "{ranks} ranks need {needed} open files in hpvmrun, but the limit is {most} (ulimit -Hn)"
            ));
        }
        let raised = Rlimit { current: Some(needed), maximum: before.maximum };
        setrlimit(Resource::Nofile, raised).map_err(|errno| format!("cannot open {needed} files: {errno}"))?;
    }
    Ok(before)
}

impl Channels {
    /// Where hpvmrun's own stdout is a terminal the ranks get one too, so that their output comes line by
    /// line as it does without a launcher.
    pub fn new(ranks: u32) -> Result<Self, String> {
        let explain = |errno: Errno| format!("cannot make a pipe for the ranks: {errno}");
        let (stdin_far, stdin) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).map_err(explain)?;
        rustix::io::ioctl_fionbio(&stdin, true).map_err(explain)?;
        let null = File::open("/dev/null").map_err(|error| format!("cannot open /dev/null: {error}"))?;
        let terminal = Terminal::of(rustix::stdio::stdout());

        let (first, others) = (Rc::new(stdin_far), Rc::new(OwnedFd::from(null)));
        let mut channels = Self { ours: Vec::new(), theirs: Vec::new(), stdin };
        for rank in 0..ranks {
            let (stdout, stdout_far) = match terminal.as_ref().and_then(Terminal::open) {
                Some(pair) => pair,
                None => pipe().map_err(explain)?,
            };
            let (stderr, stderr_far) = pipe().map_err(explain)?;
            let stdin = Rc::clone(if rank == 0 { &first } else { &others });
            channels.ours.push(Ends { stdout, stderr });
            channels.theirs.push(RankEnds { stdin, stdout: stdout_far, stderr: stderr_far });
        }
        Ok(channels)
    }
}

/// A pipe of which only the reading end, hpvmrun's, is non-blocking.
fn pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&reader, true)?;
    Ok((reader, writer))
}

/// A terminal that the ranks' terminals are to look like.
struct Terminal {
    size: Option<Winsize>,
}

impl Terminal {
    fn of(stdout: impl AsFd) -> Option<Self> {
        let stdout = stdout.as_fd();
        rustix::termios::isatty(stdout).then(|| Self { size: rustix::termios::tcgetwinsize(stdout).ok() })
    }

    /// Both ends of a new one that changes no byte; `None` where there are none to be had.
    fn open(&self) -> Option<(OwnedFd, OwnedFd)> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
        let ours = rustix::pty::openpt(flags).ok()?;
        rustix::pty::grantpt(&ours).ok()?;
        rustix::pty::unlockpt(&ours).ok()?;
        let name = rustix::pty::ptsname(&ours, Vec::new()).ok()?;
        let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let mut settings = rustix::termios::tcgetattr(&theirs).ok()?;
        settings.make_raw();
        rustix::termios::tcsetattr(&theirs, OptionalActions::Now, &settings).ok()?;
        if let Some(size) = self.size {
            rustix::termios::tcsetwinsize(&theirs, size).ok()?;
        }
        rustix::io::ioctl_fionbio(&ours, true).ok()?;
        Some((ours, theirs))
    }
}
