//! Bridges and the hosts' ends of them.

use std::process::Command;

use anyhow::Result;

use crate::exec;

/// Addresses are 10.A.F.H: A is the cluster's, F the fabric from 0, H the host from 1; this machine is 254.
pub fn address(number: u8, fabric: u8, host: u8) -> String {
    format!("10.{number}.{fabric}.{host}")
}

/// This machine's place in a network.
const HERE: u8 = 254;

fn bridge(number: u8, fabric: u8) -> String {
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

/// All bridges of a cluster. Without hosts there are no cables.
pub fn remove(number: u8) -> Result<()> {
    for fabric in 0..2 {
        let bridge = bridge(number, fabric);
        if std::path::Path::new("/sys/class/net").join(&bridge).exists() {
            ip(&format!("link delete {bridge}"))?;
        }
    }
    Ok(())
}
