//! The process table, read from `/proc`.
//!
//! A process id alone does not name a process for long. With the time of its start it does, and
//! [`Process::signal`] makes sure of both before it sends anything.

use std::collections::HashSet;
use std::fs;

use hpvm_wire::status::Process as Seen;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};

/// One line of the process table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// In clock ticks since the machine started.
    pub start: u64,
    /// `R`, `S`, `T`, `Z` and so on.
    pub state: u8,
}

impl Process {
    pub fn read(pid: i32) -> Option<Self> {
        parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// Sends a signal, unless the process is gone or its number belongs to another one by now.
    pub fn signal(&self, signal: Signal) -> Result<(), Errno> {
        let pid = Pid::from_raw(self.pid).ok_or(Errno::SRCH)?;
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(held) if self.is_still_there() => rustix::process::pidfd_send_signal(&held, signal),
            Ok(_) | Err(Errno::SRCH) => Err(Errno::SRCH),
            // A kernel or a container without pidfds: the gap between look and kill is small.
            Err(_) if self.is_still_there() => rustix::process::kill_process(pid, signal),
            Err(_) => Err(Errno::SRCH),
        }
    }

    fn is_still_there(&self) -> bool {
        Self::read(self.pid).is_some_and(|now| now.start == self.start)
    }
}

/// The name is in parentheses and may contain anything, closing parentheses too.
pub fn parse(pid: i32, stat: &str) -> Option<Process> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let parent = fields.next()?.parse().ok()?;
    let start = fields.nth(17)?.parse().ok()?;
    Some(Process { pid, parent, start, state })
}

/// The process as a status report shows it.
pub fn seen(pid: u32) -> Option<Seen> {
    let mut seen = parse_seen(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?;
    // That was the first thread's state.
    if matches!(seen.state, b'S' | b'D' | b'I') && let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) {
        let stats = threads.filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("stat")).ok());
        if stats.filter_map(|stat| parse_seen(&stat)).any(|thread| thread.state == b'R') {
            seen.state = b'R';
        }
    }
    Some(seen)
}

/// The fields of `/proc/PID/stat` that a report shows.
pub fn parse_seen(stat: &str) -> Option<Seen> {
    let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace();
    let state = *fields.next()?.as_bytes().first()?;
    let (user, system): (u64, u64) = (fields.nth(10)?.parse().ok()?, fields.next()?.parse().ok()?);
    // Ticks are hundredths of a second for programs, whatever the kernel counts in.
    Some(Seen { state, busy: user.wrapping_add(system) as u32 & Seen::BUSY_MASK })
}

/// All processes that can be seen.
pub fn all() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| Process::read(entry.ok()?.file_name().to_str()?.parse().ok()?)).collect()
}

/// The processes below `root`, without those in `spared` and what is below them.
pub fn descendants(root: i32, spared: &HashSet<i32>) -> Vec<Process> {
    below(&all(), root, spared)
}

fn below(processes: &[Process], root: i32, spared: &HashSet<i32>) -> Vec<Process> {
    let mut sorted = processes.to_vec();
    sorted.sort_unstable_by_key(|process| process.parent);
    // Nobody is older than its parent, be it by birth or by adoption. One that seems so was read before its parent
    // left and the parent's number was given to another process.
    let children = |pid: i32, start: u64| {
        let from = sorted.partition_point(|process| process.parent < pid);
        let to = sorted.partition_point(|process| process.parent <= pid);
        sorted[from..to].iter().filter(move |process| process.start >= start && !spared.contains(&process.pid))
    };
    let mut found: Vec<Process> = children(root, 0).copied().collect();
    // A table read while it changes may contain a cycle; a process is taken once.
    let mut seen: HashSet<i32> = found.iter().map(|process| process.pid).chain([root]).collect();
    let mut next = 0;
    while let Some(process) = found.get(next).copied() {
        found.extend(children(process.pid, process.start).filter(|child| seen.insert(child.pid)));
        next += 1;
    }
    found
}

/// The processes whose parent is this one.
pub fn own_children() -> HashSet<i32> {
    let own = std::process::id() as i32;
    // Most kernels know; the others make it necessary to read the whole table.
    if let Ok(text) = fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        return text.split_ascii_whitespace().filter_map(|pid| pid.parse().ok()).collect();
    }
    all().iter().filter(|process| process.parent == own).map(|process| process.pid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn process(pid: i32, parent: i32) -> Process {
        Process { pid, parent, start: 0, state: b'S' }
    }

    #[test]
    fn a_name_with_parentheses_and_spaces() {
        let stat = "7 (a) S (b) R 3 7 7 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 8812 2 1";
        assert_eq!(parse(7, stat), Some(Process { pid: 7, parent: 3, start: 8812, state: b'R' }));
        for broken in ["", "7 (a", "7 (a) R", "7 (a) R x"] {
            assert_eq!(parse(7, broken), None);
        }
    }

    #[test]
    fn times_that_no_kernel_counts_do_no_harm() {
        let stat = format!("7 (a) S 1 7 7 0 -1 4194304 1 0 0 0 {} 1 0 0", u64::MAX);
        assert_eq!(parse_seen(&stat).map(|seen| (seen.state, seen.busy)), Some((b'S', 0)));
    }

    #[test]
    fn descendants_in_any_order_without_the_spared() {
        let table = [process(5, 4), process(4, 2), process(2, 1), process(3, 1), process(6, 3), process(9, 8)];
        let pids = |spared: &[i32]| {
            let found = below(&table, 1, &spared.iter().copied().collect());
            let mut pids: Vec<_> = found.iter().map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        };
        assert_eq!(pids(&[]), [2, 3, 4, 5, 6]);
        assert_eq!(pids(&[2]), [3, 6]);
    }

    #[test]
    fn a_parent_whose_number_was_reused_has_no_older_children() {
        let table = [process(2, 1), Process { start: 5, ..process(3, 2) }, process(4, 3)];
        assert_eq!(below(&table, 1, &HashSet::new()), table[..2]);
    }

    #[test]
    fn a_cycle_ends() {
        assert_eq!(below(&[process(2, 1), process(3, 2), process(1, 3)], 1, &HashSet::new()).len(), 2);
    }

    #[test]
    fn a_reused_number_is_not_signalled() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let found = Process::read(child.id() as i32).unwrap();
        assert_eq!(found.parent, std::process::id() as i32);
        let finds = |spared: HashSet<i32>| descendants(found.parent, &spared).iter().any(|one| one.pid == found.pid);
        assert!(finds(HashSet::new()) && !finds(HashSet::from([found.pid])));
        let other = Process { start: found.start + 1, ..found };
        assert_eq!(other.signal(Signal::KILL), Err(Errno::SRCH));
        assert_eq!(child.try_wait().unwrap(), None);
        found.signal(Signal::KILL).unwrap();
        child.wait().unwrap();
        assert_eq!(found.signal(Signal::KILL), Err(Errno::SRCH));
    }
}
