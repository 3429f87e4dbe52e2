//! What a job may not leave behind: processes, shared memory, files.
//!
//! Processes are recognised by a mark in their environment, which descendants inherit however they daemonise. Files in
//! /dev/shm are compared with a picture taken before; a new one counts only when no living process maps it, because
//! other jobs run on the same machine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The variable that marks the processes of a run.
pub const MARK: &str = "MPI_SUITE_RUN";

/// How long an ended job may take to disappear: its keeper reaps after the launcher has left.
const GRACE: Duration = Duration::from_millis(2000);

/// A living process of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Process {
    pub pid: i32,
    pub command: String,
}

/// The machine before a run.
#[derive(Debug)]
pub struct Picture {
    shm: BTreeSet<PathBuf>,
}

impl Picture {
    pub fn take() -> Picture {
        Picture { shm: list(Path::new("/dev/shm")) }
    }

    /// What a run marked `mark` left, in words; empty when nothing. Waits a moment for it to go.
    pub fn differences(&self, mark: &str) -> Vec<String> {
        let end = Instant::now() + GRACE;
        loop {
            let left = self.differences_now(mark);
            if left.is_empty() || Instant::now() >= end {
                return left;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn differences_now(&self, mark: &str) -> Vec<String> {
        let mut left: Vec<String> = marked(mark)
            .into_iter()
            .map(|process| format!("process {} ({})", process.pid, process.command))
            .collect();
        let new: Vec<PathBuf> = list(Path::new("/dev/shm")).difference(&self.shm).cloned().collect();
        if !new.is_empty() {
            let mapped = mapped_shm();
            left.extend(new.iter().filter(|file| !mapped.contains(*file)).map(|file| file.display().to_string()));
        }
        left
    }
}

/// What the kernel knows beside processes, for a before and an after.
#[derive(Debug)]
pub struct Machine {
    shm: BTreeSet<PathBuf>,
    tmp: BTreeSet<PathBuf>,
    ipc: BTreeSet<String>,
    shmem_kib: u64,
}

/// Growth of `Shmem` that is no leak of ours: other programs on the machine have shared memory too.
const SHMEM_KIB_MAX: u64 = 64 << 10;
/// The same on a machine where nothing else runs; the kernel counts per processor, and so not exactly.
const SHMEM_KIB_MAX_STRICT: u64 = 4 << 10;

impl Machine {
    pub fn look() -> Result<Machine> {
        Ok(Machine {
            shm: list(Path::new("/dev/shm")),
            tmp: list(&std::env::temp_dir()),
            ipc: ipc_objects(),
            shmem_kib: shmem_kib()?,
        })
    }

    /// What is new since then and stays for `grace`. Unless `strict`, files of /tmp count only when they bear our name, and
    /// IPC objects not at all: on a busy machine they may be anybody's.
    pub fn left_since(&self, strict: bool, grace: Duration) -> Result<Vec<String>> {
        let end = Instant::now() + grace;
        loop {
            let left = self.left_now(strict)?;
            if left.is_empty() || Instant::now() > end {
                return Ok(left);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn left_now(&self, strict: bool) -> Result<Vec<String>> {
        let now = Machine::look()?;
        let mut left: Vec<String> = Vec::new();
        let mapped = mapped_shm();
        left.extend(now.shm.difference(&self.shm).filter(|file| !mapped.contains(*file)).map(|file| shown(file)));
        let ours = |file: &&PathBuf| strict || file.to_string_lossy().contains("hpvm");
        left.extend(now.tmp.difference(&self.tmp).filter(ours).map(|file| shown(file)));
        if strict {
            left.extend(now.ipc.difference(&self.ipc).cloned());
        }
        let most = if strict { SHMEM_KIB_MAX_STRICT } else { SHMEM_KIB_MAX };
        let grown = now.shmem_kib.saturating_sub(self.shmem_kib);
        if grown > most {
            left.push(format!("{grown} KiB of shared memory"));
        }
        Ok(left)
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

/// The System V objects, by kind and number.
fn ipc_objects() -> BTreeSet<String> {
    let mut objects = BTreeSet::new();
    for kind in ["shm", "sem", "msg"] {
        let table = std::fs::read_to_string(format!("/proc/sysvipc/{kind}")).unwrap_or_default();
        let ids = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1));
        objects.extend(ids.map(|id| format!("System V {kind} {id}")));
    }
    objects
}

/// `Shmem` of /proc/meminfo.
fn shmem_kib() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").context("reading /proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix("Shmem:")).context("no Shmem in /proc/meminfo")?;
    line.trim().trim_end_matches("kB").trim().parse().context("Shmem of /proc/meminfo")
}

/// All living processes whose environment has `MARK=mark`.
pub fn marked(mark: &str) -> Vec<Process> {
    let wanted = format!("{MARK}={mark}");
    let has_mark = |environ: &[u8]| environ.split(|&b| b == 0).any(|entry| entry == wanted.as_bytes());
    processes()
        .filter(|pid| std::fs::read(format!("/proc/{pid}/environ")).is_ok_and(|environ| has_mark(&environ)))
        .map(|pid| Process { pid, command: command_of(pid) })
        .collect()
}

/// The numbers of all processes.
pub fn processes() -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn command_of(pid: i32) -> String {
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&line).replace('\0', " ");
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = state.rsplit_once(')').map_or("", |(_, rest)| rest).trim().chars().next().unwrap_or('?');
    format!("{} [{state}]", text.trim())
}

fn list(dir: &Path) -> BTreeSet<PathBuf> {
    std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

/// Every file of /dev/shm that some process maps or holds open.
fn mapped_shm() -> BTreeSet<PathBuf> {
    let mut mapped = BTreeSet::new();
    for pid in processes() {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        mapped.extend(maps.lines().filter_map(|line| line.find("/dev/shm/").map(|at| PathBuf::from(&line[at..]))));
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        mapped.extend(open.filter_map(|fd| std::fs::read_link(fd.path()).ok()).filter(|to| to.starts_with("/dev/shm")));
    }
    mapped
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    #[test]
    fn a_file_left_in_shared_memory_is_found() {
        let before = Machine::look().unwrap();
        let path = PathBuf::from(format!("/dev/shm/mpi-suite-test-{}", std::process::id()));
        std::fs::write(&path, "left").unwrap();
        let left = before.left_since(false, Duration::ZERO).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(left.contains(&path.display().to_string()), "{left:?}");
    }

    #[test]
    fn a_marked_process_is_found_until_it_is_gone() {
        let mark = format!("test-{}", std::process::id());
        let mut child = Command::new("sleep").arg("60").env(MARK, &mark).spawn().unwrap();
        // The environment is readable only after the child's exec.
        let end = Instant::now() + Duration::from_secs(5);
        while marked(&mark).is_empty() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        let seen = marked(&mark);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(seen.len(), 1);
        assert_eq!(seen[0].pid, child.id() as i32);
        assert_eq!(marked(&mark), []);
    }
}
