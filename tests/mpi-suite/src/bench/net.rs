//! Two hosts, for the table of the network: how each MPI is launched on them, and what TCP itself gives between them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::Mpi;

/// Hosts that share this machine's files, and are reached by ssh.
#[derive(Clone, Debug)]
pub struct Hosts {
    /// Settings of ssh under which they are reached.
    pub ssh_config: PathBuf,
    pub addresses: [String; 2],
    /// This machine's address in their network, and its interface there.
    pub here: String,
    pub interface: String,
    /// Our launcher's machine file.
    pub machines: PathBuf,
}

/// Of the server that the floor is measured with. Nothing else of a benchmark listens on the hosts at that time.
const PORT: &str = "21329";

impl Hosts {
    /// Has ours run on the hosts, a rank on each.
    pub fn launch_ours(&self, mpi: &mut Mpi) {
        let args = ["-m".into(), self.machines.clone().into(), "--map-by".into(), "node".into()];
        mpi.launcher_args.extend(args);
    }

    /// What a peer's setting says of hosts: `{ssh}` is a command that reaches them, `{hosts}` are their addresses, `{here}` is this
    /// machine's, at `{interface}`.
    pub fn fill(&self, text: &str, ssh: &Path) -> String {
        let filled = text.replace("{ssh}", &ssh.display().to_string());
        filled.replace("{hosts}", &self.addresses.join(",")).replace("{here}", &self.here).replace("{interface}", &self.interface)
    }

    /// Writes the command that reaches the hosts: the others' launchers take one word for it.
    pub fn ssh_command(&self, work_dir: &Path) -> Result<PathBuf> {
        let path = work_dir.join("bench/ssh");
        let dir = path.parent().expect("it has one");
        fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        let text = format!("#!/bin/sh\nexec ssh -F '{}' \"$@\"\n", self.ssh_config.display());
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }

    /// By what TCP decides how quickly to send there. It is the same for whoever does not ask for another one.
    pub fn congestion_control(&self) -> Result<String> {
        let output = self.on(&self.addresses[0]).args(["cat", "/proc/sys/net/ipv4/tcp_congestion_control"]).output().context("starting ssh")?;
        ensure!(output.status.success(), "asking a host: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// A command that is to run on a host.
    fn on(&self, host: &str) -> Command {
        let mut command = Command::new("ssh");
        command.arg("-F").arg(&self.ssh_config).arg(host).stdin(Stdio::null());
        command
    }

    /// Measures TCP between them with `program` (`bench/tcp.c`).
    pub fn floor(&self, program: &Path) -> Result<BTreeMap<String, f64>> {
        let [caller, server] = &self.addresses;
        let on = |host: &str, role: &str| {
            let mut command = self.on(host);
            command.arg(program).args([role, server.as_str(), PORT]);
            command
        };
        let mut serving = on(server, "serve").spawn().context("starting ssh")?;
        let called = on(caller, "call").output();
        // It ends with its caller, however that ends.
        serving.wait()?;
        let called = called.context("starting ssh")?;
        ensure!(called.status.success(), "measuring TCP: {}: {}", called.status, String::from_utf8_lossy(&called.stderr).trim());
        serde_json::from_slice(&called.stdout).context("the figures of TCP")
    }
}

/// What TCP itself takes or gives for a cell, over the best number of connections.
pub fn floor_of(test: &str, bytes: u64, floor: &BTreeMap<String, f64>) -> Option<f64> {
    match test {
        "latency" => floor.get(&format!("tcp_latency_{bytes}_us")).copied(),
        "bandwidth" => {
            let over = |connections| floor.get(&format!("tcp_bandwidth_{bytes}_x{connections}_MBps")).copied();
            [1, 2, 4].into_iter().filter_map(over).reduce(f64::max)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_number_of_connections_counts() {
        let floor = [("tcp_bandwidth_8192_x1_MBps", 900.0), ("tcp_bandwidth_8192_x4_MBps", 1200.0), ("tcp_latency_8_us", 4.5)];
        let floor = floor.map(|(name, value)| (name.to_owned(), value)).into();
        assert_eq!(floor_of("bandwidth", 8192, &floor), Some(1200.0));
        assert_eq!(floor_of("latency", 8, &floor), Some(4.5));
        assert_eq!(floor_of("latency", 64, &floor), None);
        assert_eq!(floor_of("rate", 8, &floor), None);
    }

    #[test]
    fn settings_name_the_hosts() {
        let addresses = ["10.1.0.1".into(), "10.1.0.2".into()];
        let hosts = Hosts { ssh_config: "/c".into(), addresses, here: "10.1.0.254".into(), interface: "if".into(), machines: "/m".into() };
        assert_eq!(hosts.fill("-f {hosts} -h {here} -e {ssh} {interface}", Path::new("/s")), "-f 10.1.0.1,10.1.0.2 -h 10.1.0.254 -e /s if");
    }
}
