//! `cluster`: virtual hosts on this machine, for everything that needs several.
//!
//! A host has a network, process, IPC, host-name and mount namespace of its own, a private `/tmp` and `/dev/shm`, and an sshd. All of them
//! are on a bridge, with this machine; with `--fabrics 2` on a second one as well, and then each host has an address on both. Everything else, files above all, they share with
//! this machine: what is installed here is there, too.
//!
//! [`up`](up::up) makes them, [`down`] removes them, [`host`] is what runs as the first process of one. [`slurm`] starts Slurm on them.

pub mod daemons;
mod host;
mod keys;
mod neighbours;
mod net;
pub mod slurm;
mod up;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::repo::Repo;
use crate::{exec, tools};

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Make N hosts and print the path of the machine file for `hpvmrun -m`; hosts of before are removed
    Up {
        #[arg(value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(HOSTS_MAX)))]
        hosts: u8,
        /// Networks between them
        #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=2))]
        fabrics: u8,
        /// Ranks that a host gets before the next one does
        #[arg(long, default_value_t = 2, value_name = "N")]
        slots: u32,
        /// An hpvmd --system on each host, in place of ssh (of what is installed in target/prefix)
        #[arg(long)]
        daemons: bool,
    },
    /// Remove them with all that runs on them
    Down,
    /// Be a host (what `up` starts in new namespaces)
    #[command(hide = true)]
    Host(host::Args),
}

pub fn run(args: &Args) -> Result<()> {
    let cluster = Cluster::of(&Repo::find());
    match &args.action {
        Action::Up { hosts, fabrics, slots, daemons } => {
            println!("{}", cluster.up(&Wanted { hosts: *hosts, fabrics: *fabrics, slots: *slots, daemons: *daemons })?.display());
            Ok(())
        }
        Action::Down => cluster.down(),
        Action::Host(args) => host::run(args),
    }
}

/// What is to be made.
pub struct Wanted {
    pub hosts: u8,
    pub fabrics: u8,
    pub slots: u32,
    /// With an `hpvmd --system` on each host.
    pub daemons: bool,
}

/// Two processes each make 256 ranks, and addresses end with a number below 254.
pub const HOSTS_MAX: u8 = 128;

/// The cluster of a clone: another clone may have its own beside it.
pub struct Cluster {
    /// `target/cluster`
    folder: PathBuf,
    /// Distinguishes this clone's bridges and addresses.
    number: u8,
}

/// Virtual hosts for as long as something runs on them.
pub struct Hosts {
    pub cluster: Cluster,
    pub machines: PathBuf,
}

impl Hosts {
    pub fn up(repo: &Repo, hosts: u8, slots: u32) -> Result<Hosts> {
        Self::make(repo, &Wanted { hosts, fabrics: 1, slots, daemons: false })
    }

    pub fn make(repo: &Repo, wanted: &Wanted) -> Result<Hosts> {
        let cluster = Cluster::of(repo);
        let machines = cluster.up(wanted)?;
        Ok(Hosts { cluster, machines })
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        if let Err(error) = self.cluster.down() {
            eprintln!("xtask: the virtual hosts are not all gone: {error:#}");
        }
    }
}

impl Cluster {
    pub fn of(repo: &Repo) -> Cluster {
        let folder = repo.target.join("cluster");
        let number = folder.as_os_str().as_encoded_bytes().iter().fold(7u8, |hash, byte| hash.wrapping_mul(31).wrapping_add(*byte));
        Cluster { folder, number }
    }

    /// Removes the old hosts, makes new ones, and returns the machine file.
    pub fn up(&self, wanted: &Wanted) -> Result<PathBuf> {
        if !tools::is_root() {
            bail!("hosts are made of namespaces and network devices, which takes root");
        }
        tools::need(&[tools::SSHD, tools::IP, tools::UNSHARE])?;
        self.down()?;
        fs::create_dir_all(&self.folder).with_context(|| format!("cannot make {}", self.folder.display()))?;
        let made = self.make(wanted);
        if made.is_err() {
            // Half a cluster is none; what the first error was matters more than what removing it may say.
            let _ = self.down();
        }
        made
    }

    /// The network of a host (from 1), by which its processes are known.
    pub fn network_of(&self, host: u8) -> Result<PathBuf> {
        let path = self.folder.join(format!("node{host}/pid"));
        let pid = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(fs::read_link(format!("/proc/{}/ns/net", pid.trim()))?)
    }

    /// `target/cluster`, where hosts with daemons have their keys and logs.
    pub fn folder(&self) -> &std::path::Path {
        &self.folder
    }

    /// The first process on a host, in whose namespaces all others of it are.
    pub fn first_process(&self, host: u8) -> Result<u32> {
        let pid = fs::read_to_string(self.folder.join(format!("node{host}/pid")))?;
        let pid = pid.trim();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        children.trim().parse().with_context(|| format!("node{host} has no first process"))
    }

    /// Pulls a host's cable, or plugs it in again.
    pub fn set_cable(&self, host: u8, carries: bool) -> Result<()> {
        self.set_cable_of(0, host, carries)
    }

    /// The same of one of its cables.
    pub fn set_cable_of(&self, fabric: u8, host: u8, carries: bool) -> Result<()> {
        net::set_cable(self.number, fabric, host, carries)
    }

    /// Cuts one of a host's networks behind the cable, or mends it.
    pub fn set_port(&self, fabric: u8, host: u8, forwards: bool) -> Result<()> {
        net::set_port(self.number, fabric, host, forwards)
    }

    /// Ends the first process of every host, and with it all others; removes the bridges.
    pub fn down(&self) -> Result<()> {
        for pid in self.hosts()? {
            let _ = exec::quiet(Command::new("kill").args(["-KILL", &pid.to_string()]));
            let end = Instant::now() + Duration::from_secs(10);
            while self.is_host(pid) {
                if Instant::now() > end {
                    bail!("process {pid} of a host does not end");
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        net::remove(self.number)?;
        neighbours::put_back()?;
        match fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("cannot remove {}", self.folder.display()))
            }
            _ => Ok(()),
        }
    }

    /// Settings under which ssh reaches the hosts.
    pub fn ssh_config(&self) -> PathBuf {
        self.folder.join("ssh_config")
    }

    /// Of a host, counted from 1, on the first fabric.
    pub fn address(&self, host: u8) -> String {
        net::address(self.number, 0, host)
    }

    /// Of this machine.
    pub fn address_here(&self) -> String {
        net::address(self.number, 0, net::HERE)
    }

    /// This machine's interface on the first fabric.
    pub fn interface_here(&self) -> String {
        net::bridge(self.number, 0)
    }

    /// The first processes of the hosts that run, as this machine numbers them.
    fn hosts(&self) -> Result<Vec<u32>> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(Vec::new()) };
        let pids = entries.flatten().filter_map(|entry| fs::read_to_string(entry.path().join("pid")).ok()?.trim().parse().ok());
        Ok(pids.filter(|pid| self.is_host(*pid)).collect())
    }

    /// A number may belong to another process by now: ours has this cluster's folder on its command line.
    fn is_host(&self, pid: u32) -> bool {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let folder = self.folder.as_os_str().as_encoded_bytes();
        line.windows(folder.len()).any(|window| window == folder)
    }
}
