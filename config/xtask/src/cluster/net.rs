//! Bridges and the hosts' ends of them.

use std::process::Command;

use anyhow::Result;

use crate::exec;

/// Addresses are 10.A.F.H: A is the cluster's, F the fabric from 0, H the host from 1; this machine is 254.
pub fn address(number: u8, fabric: u8, host: u8) -> String {
    format!("10.{number}.{fabric}.{host}")
}

/// This machine's place in a network.
pub const HERE: u8 = 254;

pub fn bridge(number: u8, fabric: u8) -> String {
    format!("hpvm{number}f{fabric}")
}

/// This machine's end of a host's cable.
fn cable(number: u8, fabric: u8, host: u8) -> String {
    format!("hpvm{number}f{fabric}h{host}")
}

pub fn ip(words: &str) -> Result<()> {
    exec::quiet(Command::new("ip").args(words.split(' '))).map(drop)
}

/// A bridge for a fabric, with this machine on it.
pub fn add_bridge(number: u8, fabric: u8) -> Result<()> {
    let bridge = bridge(number, fabric);
    ip(&format!("link add {bridge} type bridge"))?;
    ip(&format!("address add {}/24 dev {bridge}", address(number, fabric, HERE)))?;
    ip(&format!("link set {bridge} up"))
}

/// A cable between the bridge and the network namespace of process `pid`, where it is called `eth` and the fabric's number. An
/// end that is in a namespace goes with it, and takes the other one along.
pub fn add_cable(number: u8, fabric: u8, host: u8, pid: u32) -> Result<()> {
    let (bridge, cable) = (bridge(number, fabric), cable(number, fabric, host));
    ip(&format!("link add {cable} type veth peer name eth{fabric} netns {pid}"))?;
    ip(&format!("link set {cable} master {bridge} up"))
}

/// Whether a host's cable carries.
pub fn set_cable(number: u8, fabric: u8, host: u8, carries: bool) -> Result<()> {
    ip(&format!("link set {} {}", cable(number, fabric, host), if carries { "up" } else { "down" }))
}

/// Whether the bridge passes on what comes from and goes to a host. The host does not notice: its cable is plugged in.
pub fn set_port(number: u8, fabric: u8, host: u8, forwards: bool) -> Result<()> {
    let state = if forwards { "forwarding" } else { "disabled" };
    exec::quiet(Command::new("bridge").args(["link", "set", "dev", &cable(number, fabric, host), "state", state])).map(drop)
}

/// All bridges and cables of a cluster. A host's end of a cable may outlive the host: its namespace stays for as long as the kernel has
/// something to send from there.
pub fn remove(number: u8) -> Result<()> {
    let ours = format!("hpvm{number}f");
    for device in devices().filter(|device| device.starts_with(&ours)) {
        // It may go by itself in this moment.
        let removed = Command::new("ip").args(["link", "delete", &device]).output();
        if devices().any(|left| left == device) {
            anyhow::bail!("{device} is not removed: {removed:?}");
        }
    }
    Ok(())
}

/// Whether some clone still has hosts.
pub fn is_any_left() -> bool {
    devices().any(|device| device.strip_prefix("hpvm").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())))
}

fn devices() -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok())
}
