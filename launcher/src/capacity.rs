//! Does the machine have room for so many ranks?
//!
//! Computed before anything is started, from the limits that would otherwise strike half way: processes
//! per user, processes of the control group, size of the process table, memory. Each is a lower bound of
//! what a rank needs, so that nothing is refused that would have worked.

pub mod cgroup;

use std::fs;

use rustix::process::{Resource, getrlimit};

use cgroup::Controller;

/// Besides the ranks there are two keepers, and hpvmrun itself already runs.
const KEEPERS: u64 = 2;

/// No process with a C library costs less: its page tables, kernel stack, written data.
const MEMORY_PER_RANK: u64 = 512 << 10;

/// One limit: how much is left of it, and its name for the user.
#[derive(Debug, PartialEq, Eq)]
pub struct Limit {
    left: u64,
    what: String,
}

/// `Err` says which limit refuses the ranks.
pub fn check(ranks: u32) -> Result<(), String> {
    let processes = u64::from(ranks) + KEEPERS;
    let limits = [process_limit(processes), thread_table(), pid_range()].into_iter().flatten().chain(cgroup::pids());
    if let Some(refusing) = tightest(limits).filter(|limit| limit.left < processes) {
        return Err(format!("{ranks} ranks need {processes} more processes, but {}", refusing.what));
    }
    let memory = u64::from(ranks) * MEMORY_PER_RANK;
    if let Some(refusing) = tightest(available_memory().into_iter().chain(cgroup::memory())).filter(|l| l.left < memory)
    {
        return Err(format!("{ranks} ranks need at least {} MiB of memory, but {}", memory >> 20, refusing.what));
    }
    Ok(())
}

fn tightest(limits: impl Iterator<Item = Limit>) -> Option<Limit> {
    limits.min_by_key(|limit| limit.left)
}

/// RLIMIT_NPROC counts the threads of the user and does not bind root.
fn process_limit(processes: u64) -> Option<Limit> {
    let limit = getrlimit(Resource::Nproc).current?;
    let user = rustix::process::getuid();
    if user.is_root() {
        return None;
    }
    // Counting the user's takes a look at every process, all of them together are known at once.
    if threads_now().is_some_and(|all| limit.saturating_sub(all) >= processes) {
        return None;
    }
    let used = threads_of(user.as_raw());
    Some(Limit {
        left: limit.saturating_sub(used),
        what: format!("the user may have {limit} (ulimit -u) and has {used}"),
    })
}

fn threads_of(user: u32) -> u64 {
    let Ok(entries) = fs::read_dir("/proc") else { return 0 };
    let statuses = entries.filter_map(|entry| {
        let entry = entry.ok()?;
        entry.file_name().to_str()?.parse::<u32>().ok()?;
        fs::read_to_string(entry.path().join("status")).ok()
    });
    statuses.filter(|status| field(status, "Uid:") == Some(user.into())).filter_map(|s| field(&s, "Threads:")).sum()
}

/// The first number after a name at the start of a line.
fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

/// Threads of the whole machine: the fourth field of loadavg is `running/all`.
fn threads_now() -> Option<u64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

fn thread_table() -> Option<Limit> {
    let (limit, used) = (number("/proc/sys/kernel/threads-max")?, threads_now()?);
    Some(Limit {
        left: limit.saturating_sub(used),
        what: format!("this machine holds {limit} threads (kernel.threads-max) and has {used}"),
    })
}

fn pid_range() -> Option<Limit> {
    let (limit, used) = (number("/proc/sys/kernel/pid_max")?, threads_now()?);
    Some(Limit {
        left: limit.saturating_sub(used),
        what: format!("this machine has {limit} process ids (kernel.pid_max) of which {used} are taken"),
    })
}

fn available_memory() -> Option<Limit> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let left = (field(&text, "MemAvailable:")? + field(&text, "SwapFree:").unwrap_or(0)) << 10;
    Some(Limit { left, what: format!("this machine has {} MiB left", left >> 20) })
}

impl Limit {
    /// A control group's limit.
    fn of_group(controller: Controller, path: &str, limit: u64, used: u64) -> Self {
        let left = limit.saturating_sub(used);
        let what = match controller {
            Controller::Pids => format!("the control group {path} may have {limit} (pids.max) and has {used}"),
            Controller::Memory => {
                format!("the control group {path} has {} MiB left of its {} MiB", left >> 20, limit >> 20)
            }
        };
        Self { left, what }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_fit_and_millions_do_not() {
        assert_eq!(check(2), Ok(()));
        let text = check(4_000_000).unwrap_err();
        assert!(text.starts_with("4000000 ranks need 4000002 more processes, but "), "{text}");
    }

    #[test]
    fn fields_of_proc_files() {
        let status = "Name:\tx\nUid:\t1000\t0\t0\t0\nThreads:\t3\n";
        assert_eq!((field(status, "Uid:"), field(status, "Threads:")), (Some(1000), Some(3)));
        assert_eq!(field(status, "Gid:"), None);
    }

    #[test]
    fn this_user_has_threads() {
        assert!(threads_of(rustix::process::getuid().as_raw()) >= 1);
        assert!(threads_now().unwrap() >= 1);
    }
}
