//! At which ports a host listens, and who does.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use anyhow::{Context as _, Result};

#[derive(Debug)]
pub struct Port {
    pub number: u16,
    /// The processes that have it open.
    pub owners: Vec<i32>,
}

/// Where these processes, all of one host, listen by TCP.
pub fn of(processes: &[i32]) -> Result<Vec<Port>> {
    let any = processes.first().context("a host without processes")?;
    let mut found = HashMap::new();
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{any}/net/{table}"))?;
        found.extend(text.lines().skip(1).filter_map(listening));
    }
    let mut ports: BTreeMap<u16, Vec<i32>> = found.values().map(|number| (*number, Vec::new())).collect();
    for process in processes {
        let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
        for file in open.filter_map(|file| fs::read_link(file.path()).ok()) {
            let inode = file.to_str().and_then(|name| name.strip_prefix("socket:[")?.strip_suffix(']'));
            if let Some(owners) = inode.and_then(|inode| ports.get_mut(found.get(inode)?)) {
                owners.push(*process);
            }
        }
    }
    Ok(ports.into_iter().map(|(number, owners)| Port { number, owners }).collect())
}

/// The socket's inode and its port, of one that listens.
fn listening(line: &str) -> Option<(String, u16)> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (_, port) = fields.get(1)?.rsplit_once(':')?;
    (*fields.get(3)? == "0A").then_some((fields.get(9)?.to_string(), u16::from_str_radix(port, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_with_its_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (number, own) = (listener.local_addr().unwrap().port(), std::process::id() as i32);
        assert!(of(&[own]).unwrap().iter().any(|port| port.number == number && port.owners == [own]));
    }
}
