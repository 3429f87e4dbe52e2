//! Making the hosts.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Cluster, keys, net};
use crate::exec;

impl Cluster {
    /// The bridges, the hosts, and when all of them answer the machine file.
    pub(super) fn make(&self, hosts: u8, fabrics: u8, slots: u32) -> Result<PathBuf> {
        for fabric in 0..fabrics {
            net::add_bridge(self.number, fabric)?;
        }
        let addresses = |host| (0..fabrics).map(|fabric| net::address(self.number, fabric, host)).collect::<Vec<_>>();
        let named: Vec<_> = (1..=hosts).map(|host| (format!("node{host}"), net::address(self.number, 0, host))).collect();
        let config = keys::of_user(&self.folder, &named)?;
        for host in 1..=hosts {
            let folder = self.folder.join(format!("node{host}"));
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            keys::of_host(&self.folder, &folder, &addresses(host))?;
            let pid = start(&folder, &format!("node{host}"), &addresses(host))?;
            fs::write(folder.join("pid"), format!("{pid}\n"))?;
            for fabric in 0..fabrics {
                net::add_cable(self.number, fabric, host, pid)?;
            }
        }
        for (name, _) in &named {
            wait_for(&config, name, &self.folder.join(name).join("log"))?;
        }
        let path = self.folder.join("machines.toml");
        fs::write(&path, machines(&config, &named, slots)).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }
}

/// Starts the first process of a host, and returns the number of its parent, with which it ends. Both are in the new network
/// namespace by the time this returns.
fn start(folder: &Path, name: &str, addresses: &[String]) -> Result<u32> {
    let log = File::create(folder.join("log"))?;
    let child = Command::new("setsid")
        .args(["unshare", "--net", "--ipc", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"])
        .arg(std::env::current_exe()?)
        .args(["cluster", "host"])
        .arg(folder)
        .arg(name)
        .args(addresses)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start a host")?;
    let (pid, end) = (child.id(), Instant::now() + Duration::from_secs(20));
    let namespace = |pid: &str| fs::read_link(format!("/proc/{pid}/ns/net")).ok();
    while namespace(&pid.to_string()) == namespace("self") {
        if Instant::now() > end {
            bail!("a host's network has not come; see {}", folder.join("log").display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(pid)
}

/// Until ssh reaches it.
fn wait_for(config: &Path, name: &str, log: &Path) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(30);
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(config).args([name, "true"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    while !ssh.status().context("cannot run ssh")?.success() {
        if Instant::now() > end {
            exec::loud(Command::new("ssh").arg("-F").arg(config).args([name, "true"]))
                .with_context(|| format!("{name} does not answer; see {}", log.display()))?;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// What `hpvmrun -m` reads.
fn machines(config: &Path, hosts: &[(String, String)], slots: u32) -> String {
    let mut text = format!("# Made by `cargo xtask cluster up`.\nssh = [\"ssh\", \"-F\", {:?}]\n", config.display().to_string());
    for (name, _) in hosts {
        text += &format!("\n[[machine]]\nname = {name:?}\nslots = {slots}\n");
    }
    text
}
