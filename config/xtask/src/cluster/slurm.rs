//! Slurm on virtual hosts: its controller on the first one, a `slurmd` on each, and munge, which all share.
//!
//! Everything lies in the cluster's folder and runs on the hosts, so it goes with them. Nothing of the machine's own Slurm, if it has one, is
//! read or changed: `SLURM_CONF` names ours.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

use super::Cluster;
use crate::exec;
use crate::tools::{self, Tool};

const TOOLS: [Tool; 4] = [
    Tool { program: "srun", package: "slurm-client" },
    Tool { program: "slurmctld", package: "slurmctld" },
    Tool { program: "slurmd", package: "slurmd" },
    Tool { program: "munged", package: "munge" },
];

/// A name of a socket may be as long.
const SOCKET_MAX: usize = 100;
const START_MAX: Duration = Duration::from_secs(30);

/// Slurm, while the hosts are there.
pub struct Slurm {
    folder: PathBuf,
}

impl Slurm {
    /// Starts it on all of the cluster's hosts, each of which has so many processors for it.
    pub fn up(cluster: &Cluster, hosts: u8, processors: u32) -> Result<Slurm> {
        tools::need(&TOOLS)?;
        tools::need_pmix()?;
        let slurm = Slurm { folder: cluster.folder.join("slurm") };
        ensure!(slurm.file("munge").as_os_str().len() < SOCKET_MAX, "{} is too long for a socket's name", slurm.file("munge").display());
        fs::create_dir_all(slurm.file("state"))?;
        fs::write(slurm.file("slurm.conf"), slurm.settings(cluster, hosts, processors))?;
        // Newer ones find out for themselves, and then want what a namespace does not give.
        fs::write(slurm.file("cgroup.conf"), "CgroupPlugin=cgroup/v1\n")?;
        slurm.start(cluster, hosts)?;
        slurm.wait(hosts)?;
        Ok(slurm)
    }

    /// A command that talks with this Slurm.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("SLURM_CONF", self.file("slurm.conf"));
        command
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn start(&self, cluster: &Cluster, hosts: u8) -> Result<()> {
        let key = self.file("munge.key");
        let mut random = [0; 128];
        std::io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut random)?;
        fs::write(&key, random)?;
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
        // By force, since the folders above may be writable for a group; without a look at the network for its own name.
        let path = |name: &str| quoted(&self.file(name));
        let munged = format!(
            "munged --force --origin=127.0.0.1 --socket={} --key-file={} --pid-file={} --log-file={} --seed-file={}",
            path("munge"),
            path("munge.key"),
            path("munge.pid"),
            path("munge.log"),
            path("munge.seed")
        );
        on(cluster, 1, &munged)?;
        let settings = path("slurm.conf");
        on(cluster, 1, &format!("slurmctld -f {settings}"))?;
        (1..=hosts).try_for_each(|host| on(cluster, host, &format!("slurmd -f {settings} -N node{host}")))
    }

    /// Until all hosts take jobs.
    fn wait(&self, hosts: u8) -> Result<()> {
        let end = Instant::now() + START_MAX;
        loop {
            let said = self.command("sinfo").args(["--noheader", "--Node", "--format=%T"]).output()?;
            let text = String::from_utf8_lossy(&said.stdout).into_owned();
            if text.lines().filter(|state| *state == "idle").count() == usize::from(hosts) {
                return Ok(());
            }
            if Instant::now() > end {
                let error = String::from_utf8_lossy(&said.stderr).into_owned();
                bail!("Slurm has not come; its hosts are: {text}{error}; see {}", self.folder.display());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn settings(&self, cluster: &Cluster, hosts: u8, processors: u32) -> String {
        let folder = self.folder.display();
        let mut text = format!(
            "ClusterName=hpvm\nSlurmctldHost=node1({})\nSlurmUser=root\nSlurmdUser=root\n\
             AuthType=auth/munge\nAuthInfo=socket={folder}/munge\nCredType=cred/munge\nMpiDefault=none\n\
             StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool-%n\n\
             SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/%n.pid\n\
             SlurmctldLogFile={folder}/slurmctld.log\nSlurmdLogFile={folder}/%n.log\n\
             SlurmdParameters=config_overrides\nProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\n\
             JobAcctGatherType=jobacct_gather/none\nSelectType=select/cons_tres\nSelectTypeParameters=CR_CPU\n\
             SchedulerType=sched/builtin\nReturnToService=2\nKillWait=2\n",
            cluster.address(1)
        );
        for host in 1..=hosts {
            text += &format!("NodeName=node{host} NodeAddr={} CPUs={processors}\n", cluster.address(host));
        }
        text + "PartitionName=all Nodes=ALL Default=YES State=UP\n"
    }
}

/// Runs a command on a host until it is through, or has put itself into the background.
fn on(cluster: &Cluster, host: u8, command: &str) -> Result<()> {
    let mut ssh = Command::new("ssh");
    ssh.arg("-F").arg(cluster.ssh_config()).arg(format!("node{host}")).arg(command);
    exec::quiet(&mut ssh).map(drop).with_context(|| format!("on node{host}"))
}

fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}
