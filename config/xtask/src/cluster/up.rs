//! Making the hosts.

use std::fs::{self, File};
use std::io::Read as _;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::{Cluster, Wanted, daemons, keys, neighbours, net};
use crate::exec;

impl Cluster {
    /// The bridges, the hosts, and when all of them answer the machine file.
    pub(super) fn make(&self, wanted: &Wanted) -> Result<PathBuf> {
        let Wanted { hosts, fabrics, slots, daemons } = *wanted;
        neighbours::make_room(hosts)?;
        for fabric in 0..fabrics {
            net::add_bridge(self.number, fabric)?;
        }
        let addresses = |host| (0..fabrics).map(|fabric| net::address(self.number, fabric, host)).collect::<Vec<_>>();
        let named: Vec<_> = (1..=hosts).map(|host| (format!("node{host}"), net::address(self.number, 0, host))).collect();
        let config = keys::of_user(&self.folder, &named)?;
        if daemons {
            daemons::prepare(&self.folder)?;
        }
        let mut host_keys = Vec::new();
        for host in 1..=hosts {
            let folder = self.folder.join(format!("node{host}"));
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
            keys::of_host(&self.folder, &folder, &addresses(host))?;
            if daemons {
                host_keys.push(daemons::of_host(&self.folder, &format!("node{host}"), &addresses(host))?);
            }
            let pid = start(&folder, &format!("node{host}"), &addresses(host))?;
            fs::write(folder.join("pid"), format!("{pid}\n"))?;
            for fabric in 0..fabrics {
                net::add_cable(self.number, fabric, host, pid)?;
            }
        }
        for (name, address) in &named {
            wait_for(address).with_context(|| format!("{name} does not answer; see {}", self.folder.join(name).join("log").display()))?;
        }
        let path = self.folder.join("machines.toml");
        let addresses: Vec<_> = (1..=hosts).map(addresses).collect();
        let text = machines(&config, &named, &addresses, &host_keys, slots);
        fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        for user in daemons::USERS.into_iter().filter(|_| daemons) {
            fs::write(self.folder.join(format!("{}.toml", user.name)), daemons::machines_of(user, &text))?;
        }
        Ok(path)
    }
}

/// Starts the first process of a host, and returns the number of its parent, with which it ends. Both are in the new network
/// namespace by the time this returns.
fn start(folder: &Path, name: &str, addresses: &[String]) -> Result<u32> {
    let log = File::create(folder.join("log"))?;
    let child = Command::new("setsid")
        .args(["unshare", "--net", "--ipc", "--uts", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=KILL"])
        .arg(exec::own_program()?)
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
    loop {
        match namespace(&pid.to_string()) {
            Some(theirs) if Some(&theirs) != namespace("self").as_ref() => break,
            None => bail!("a host has not come to life; see {}", folder.join("log").display()),
            Some(_) => (),
        }
        if Instant::now() > end {
            bail!("a host's network has not come; see {}", folder.join("log").display());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(pid)
}

/// Until its sshd greets.
fn wait_for(address: &str) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match greeting(address) {
            Ok(text) if text.starts_with(b"SSH-") => return Ok(()),
            Ok(text) => bail!("it says {:?}", String::from_utf8_lossy(&text)),
            Err(error) if Instant::now() > end => return Err(error.into()),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn greeting(address: &str) -> std::io::Result<[u8; 4]> {
    let to: std::net::IpAddr = address.parse().map_err(std::io::Error::other)?;
    let mut stream = TcpStream::connect_timeout(&(to, 22).into(), Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut text = [0; 4];
    stream.read_exact(&mut text)?;
    Ok(text)
}

/// What `hpvmrun -m` reads. One network is found without a word; several are named, and `addresses` are those of each host.
fn machines(config: &Path, hosts: &[(String, String)], addresses: &[Vec<String>], host_keys: &[String], slots: u32) -> String {
    let mut text = format!("# Made by `cargo xtask cluster up`.\nssh = [\"ssh\", \"-F\", {:?}]\n", config.display().to_string());
    let fabrics = addresses.first().map_or(0, Vec::len);
    if fabrics > 1 {
        (0..fabrics).for_each(|fabric| text += &format!("\n[[network]]\nname = \"fabric{fabric}\"\n"));
    }
    if !host_keys.is_empty() {
        text += "\n[defaults]\nstart = \"daemon\"\nkey = \"root.key\"\n";
    }
    for (number, ((name, address), addresses)) in hosts.iter().zip(addresses).enumerate() {
        text += &format!("\n[[machine]]\nname = {name:?}\nslots = {slots}\n");
        if let Some(key) = host_keys.get(number) {
            text += &format!("address = {address:?}\nhost-key = {key:?}\n");
        }
        if fabrics > 1 {
            let networks: Vec<_> = (0..).zip(addresses).map(|(fabric, address): (u8, _)| format!("fabric{fabric} = {address:?}")).collect();
            text += &format!("networks = {{ {} }}\n", networks.join(", "));
        }
    }
    text
}
