//! What runs on virtual hosts, seen from outside, and what they keep in their private folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;
use mpi_suite::leftovers;

use crate::cluster::Cluster;

pub struct Host {
    pub number: u8,
    network: PathBuf,
    /// What ran on it before, and stays.
    own: BTreeSet<i32>,
}

impl Host {
    pub fn of(cluster: &Cluster, number: u8) -> Result<Host> {
        let mut host = Host { number, network: cluster.network_of(number)?, own: BTreeSet::new() };
        host.own = host.all().into_iter().collect();
        Ok(host)
    }

    pub fn name(&self) -> String {
        format!("node{}", self.number)
    }

    pub fn all(&self) -> Vec<i32> {
        let here = |pid: &i32| fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|network| network == self.network);
        leftovers::processes().filter(here).collect()
    }

    /// What a job runs here, that of ssh included.
    pub fn processes(&self) -> Vec<i32> {
        self.all().into_iter().filter(|pid| !self.own.contains(pid)).collect()
    }

    /// The same without ssh's and what has ended: sshd keeps a session until it hears that its client is gone.
    pub fn of_job(&self) -> Vec<i32> {
        self.processes().into_iter().filter(|pid| !name(*pid).starts_with("sshd") && state(*pid) != 'Z').collect()
    }

    /// Files in the folders that only this host sees.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(first) = self.own.iter().next_back() else { return Vec::new() };
        let list = |folder: &str| fs::read_dir(format!("/proc/{first}/root{folder}")).into_iter().flatten().flatten();
        ["/tmp", "/dev/shm"].into_iter().flat_map(list).map(|entry| entry.path()).collect()
    }
}

/// `comm`: `hpvmd`, `hpvm-keeper-1`, the name of a program.
pub fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().to_owned()
}

/// Fields of `stat` behind the name: the state, the parent.
fn stat(pid: i32, nth: usize) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(nth).map(String::from)
}

pub fn state(pid: i32) -> char {
    stat(pid, 0).and_then(|state| state.chars().next()).unwrap_or('?')
}

/// A keeper, and not what is about to become a rank or an ssh: that bears the name of its parent, the inner keeper or the relay.
pub fn is_keeper(pid: i32) -> bool {
    name(pid).starts_with("hpvm-") && !["hpvm-keeper-2", "hpvm-relay"].contains(&parent_name(pid).as_str())
}

/// A rank, and not what it has forked, which is the same program until it becomes another one, and whose death is none of the job's.
pub fn is_rank(pid: i32, program: &Path) -> bool {
    runs(pid, program) && parent_name(pid) == "hpvm-keeper-2"
}

fn parent_name(pid: i32) -> String {
    stat(pid, 1).and_then(|parent| parent.parse().ok()).map_or_else(String::new, name)
}

/// An `hpvmd` that has come to its first own instructions. One that is stopped between `exec` and those cannot have seen to it that the kernel ends
/// it with its session: it stays until somebody lets it go on.
pub fn is_daemon_at_work(pid: i32) -> bool {
    name(pid) == "hpvmd" && fs::read_link(format!("/proc/{pid}/fd/0")).is_ok_and(|input| input == Path::new("/dev/null"))
}

/// A command that SIGINT ends as it ends what a person has typed. Who is started in the background by a script ignores it, and so would `hpvmrun`.
pub fn interruptible(program: &Path) -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok()).unwrap_or(0);
    if ignored & INTERRUPT == 0 {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(program);
    command
}

/// The bit of SIGINT, which is 2.
const INTERRUPT: u64 = 1 << 1;

pub fn runs(pid: i32, program: &Path) -> bool {
    fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program)
}

pub fn variable(pid: i32, name: &str) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut entries = environment.split(|byte| *byte == 0).filter_map(|entry| str::from_utf8(entry).ok()?.split_once('='));
    entries.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
}

pub fn describe(pid: i32) -> String {
    format!("{} ({pid}, {})", name(pid), state(pid))
}

pub fn signal(signal: &str, pid: i32) -> Result<()> {
    let said = Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).output()?;
    anyhow::ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr).trim());
    Ok(())
}
