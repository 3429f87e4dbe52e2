//! The first process of a host: it sets up what only can be set up from inside, and then becomes the host's sshd.
//!
//! As the first process of its process namespace it takes everything on the host with it when it ends.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::daemons;
use super::net::ip;
use crate::exec;

#[derive(clap::Args)]
pub struct Args {
    /// The host's folder
    folder: PathBuf,
    name: String,
    /// One for each fabric
    addresses: Vec<String>,
}

/// What a host has for itself. Its `/run` holds what sshd needs there.
const PRIVATE: [&str; 3] = ["/tmp", "/dev/shm", "/run"];

pub fn run(args: &Args) -> Result<()> {
    fs::write("/proc/sys/kernel/hostname", &args.name).context("cannot set the host's name")?;
    wait_for_cables(args.addresses.len())?;
    ip("link set lo up")?;
    for (fabric, address) in args.addresses.iter().enumerate() {
        ip(&format!("address add {address}/24 dev eth{fabric}"))?;
        ip(&format!("link set eth{fabric} up"))?;
    }
    // This machine's default may pace what it sends (BBR), which between neighbours takes longer than the way itself. `reno` is the one that every
    // kernel has, and that a namespace of its own may choose.
    let _ = fs::write("/proc/sys/net/ipv4/tcp_congestion_control", "reno");
    // What lies under a private folder stays as it was outside: nothing of this clone may be hidden by it.
    let here = std::env::current_exe()?;
    for folder in PRIVATE {
        if !here.starts_with(folder) && !args.folder.starts_with(folder) {
            exec::quiet(Command::new("mount").args(["-t", "tmpfs", "-o", "mode=1777", "hpvm", folder]))?;
        }
    }
    fs::create_dir_all("/run/sshd")?;
    daemons::start(&args.folder)?;
    let config = args.folder.join("sshd_config");
    let error = Command::new(SSHD).args(["-D", "-e", "-f"]).arg(config).exec();
    Err(error).context("cannot start sshd")
}

/// sshd starts itself anew for each connection and has to be called by its whole path.
const SSHD: &str = "/usr/sbin/sshd";

/// They are plugged in from outside, after this process has begun.
fn wait_for_cables(count: usize) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(20);
    let here = |fabric| fs::read_to_string("/proc/net/dev").is_ok_and(|text| text.contains(&format!("eth{fabric}:")));
    while !(0..count).all(here) {
        if Instant::now() > end {
            bail!("the network has not come");
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
