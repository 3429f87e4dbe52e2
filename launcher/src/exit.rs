//! Exit statuses, and how the end of a process is put into words.

use std::fmt;

use rustix::process::WaitStatus;

/// The command line was wrong.
pub const USAGE: u8 = 2;
/// `--timeout` ended the job.
pub const TIMEOUT: u8 = 124;
/// The job could not be launched, or lost its launcher.
pub const LAUNCH: u8 = 125;

/// Why `hpvmrun` ends before there is a job.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    Usage(String),
    Launch(String),
}

impl Refusal {
    pub fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Launch(_) => LAUNCH,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(text) | Self::Launch(text) => f.write_str(text),
        }
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Status(u8),
    Signal { number: u8, core: bool },
}

impl End {
    /// From what `wait` returned; `None` for a process that was only stopped or continued.
    pub fn from_wait(status: WaitStatus) -> Option<Self> {
        if let Some(code) = status.exit_status() {
            return Some(Self::Status(code as u8));
        }
        let number = status.terminating_signal()? as u8;
        Some(Self::Signal { number, core: status.as_raw() & 0x80 != 0 })
    }

    /// As a shell would report it.
    pub fn code(self) -> u8 {
        match self {
            Self::Status(code) => code,
            Self::Signal { number, .. } => 128 + number,
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Status(code) => write!(f, "left with exit status {code}"),
            Self::Signal { number, core } => {
                let dumped = if core { ", core dumped" } else { "" };
                write!(f, "was killed by signal {number} ({}{dumped})", signal_name(i32::from(number)))
            }
        }
    }
}

/// `SIGSEGV` for 11.
pub fn signal_name(number: i32) -> String {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM",
        "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF",
        "WINCH", "IO", "PWR", "SYS",
    ];
    match usize::try_from(number - 1).ok().and_then(|at| NAMES.get(at)) {
        Some(name) => format!("SIG{name}"),
        None => format!("real-time signal {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::WaitOptions;
    use std::process::Command;

    #[test]
    fn names_of_signals() {
        for (number, name) in [(1, "SIGHUP"), (9, "SIGKILL"), (11, "SIGSEGV"), (15, "SIGTERM"), (31, "SIGSYS")] {
            assert_eq!(signal_name(number), name);
        }
        assert_eq!(signal_name(34), "real-time signal 34");
    }

    #[test]
    fn ends_of_real_processes() {
        for (script, code, text) in
            [("exit 7", 7, "left with exit status 7"), ("kill -15 $$", 143, "was killed by signal 15 (SIGTERM)")]
        {
            // Waited for by its number first: std's own wait gives another type.
            let mut child = Command::new("sh").args(["-c", script]).spawn().unwrap();
            let pid = rustix::process::Pid::from_child(&child);
            let (_, status) = rustix::process::waitpid(Some(pid), WaitOptions::empty()).unwrap().unwrap();
            assert!(child.wait().is_err());
            let end = End::from_wait(status).unwrap();
            assert_eq!((end.code(), end.to_string().as_str()), (code, text));
        }
    }
}
