//! Programs of ours under the launchers of others, on one machine and on three hosts, and programs of MPICH's under ours: they find each other, and
//! end together.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::report::Counts;

use super::check;
use super::examples::Place;
use crate::cluster::Hosts;
use crate::cluster::slurm::Slurm;
use crate::exec;
use crate::repo::Repo;
use crate::tools;

const HOSTS: u8 = 3;

pub fn run(repo: &Repo) -> Result<Counts> {
    tools::need(&[tools::HYDRA, tools::MPICC_MPICH])?;
    let place = Place::new(repo)?;
    place.compile_file(&repo.root.join("tests/mpi-suite/launchers/meet.c"), "meet")?;
    let mut mpicc = Command::new(tools::MPICC_MPICH.program);
    exec::quiet(mpicc.arg(repo.root.join("tests/mpi-suite/launchers/meet.c")).arg("-o").arg(place.file("meet.mpich")))?;
    let mut counts = Counts::default();
    let launched = Launched { place, hosts: None };
    check(&mut counts, "hydra: one machine", launched.meets(launched.hydra(4), &["4"]));
    check(&mut counts, "hydra: a rank alone", launched.meets(launched.hydra(1), &["1"]));
    check(&mut counts, "hydra: MPI_Abort", launched.ends(launched.hydra(3), "abort", Some(7), "MPI_Abort with error code 7"));
    check(&mut counts, "hydra: exit without MPI_Finalize", launched.ends(launched.hydra(3), "exit", Some(1), "rank 2 of 3"));
    check(&mut counts, "hydra: a rank is killed", launched.ends(launched.hydra(3), "kill", None, "KILLED BY SIGNAL: 9|Killed (signal 9)"));
    let mpich = |ranks| launched.hpvmrun(ranks, "meet.mpich");
    check(&mut counts, "hpvmrun: a program of MPICH's", launched.meets(mpich(4), &["4"]));
    check(&mut counts, "hpvmrun: MPI_Abort of MPICH's", launched.ends(mpich(3), "abort", Some(7), "rank 2"));
    check(&mut counts, "hpvmrun: a rank of MPICH's exits", launched.ends(mpich(3), "exit", Some(1), "without MPI_Finalize"));
    check(&mut counts, "hpvmrun: a rank of MPICH's is killed", launched.ends(mpich(3), "kill", Some(128 + 9), "was killed by signal 9"));
    if !tools::is_root() {
        println!("skip  launchers: virtual hosts take root");
        return Ok(Counts { skipped: 1, ..counts });
    }
    let launched = Launched { hosts: Some(Hosts::up(repo, HOSTS, 2)?), ..launched };
    check(&mut counts, "hydra: three hosts", launched.hydra_hosts().and_then(|hydra| launched.meets(hydra, &["2", "2", "2"])));
    match Slurm::up(&launched.hosts.as_ref().context("no hosts")?.cluster, HOSTS, 2) {
        Ok(slurm) => launched.under_slurm(&slurm, &mut counts),
        Err(error) => check(&mut counts, "Slurm", Err(error)),
    }
    Ok(counts)
}

struct Launched {
    place: Place,
    hosts: Option<Hosts>,
}

impl Launched {
    fn hydra(&self, ranks: u32) -> Command {
        let mut hydra = limited("mpiexec.hydra");
        hydra.args(["-n", &ranks.to_string()]).arg(self.place.file("meet"));
        hydra
    }

    fn hpvmrun(&self, ranks: u32, program: &str) -> Command {
        let mut hpvmrun = limited(&self.place.prefix.join("bin/hpvmrun").display().to_string());
        hpvmrun.args(["-m", "none", "-n", &ranks.to_string()]).arg(self.place.file(program));
        hpvmrun
    }

    fn hydra_hosts(&self) -> Result<Command> {
        let cluster = &self.hosts.as_ref().context("no hosts")?.cluster;
        // It takes a program, without options.
        let ssh = self.place.file("ssh");
        fs::write(&ssh, format!("#!/bin/sh\nexec ssh -F '{}' \"$@\"\n", cluster.ssh_config().display()))?;
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755))?;
        let mut hydra = limited("mpiexec.hydra");
        hydra.args(["-n", "6", "-ppn", "2", "-hosts", "node1,node2,node3", "-launcher", "ssh", "-launcher-exec"]).arg(ssh);
        hydra.args(["-localhost", &cluster.address_here()]).arg(self.place.file("meet"));
        Ok(hydra)
    }

    fn under_slurm(&self, slurm: &Slurm, counts: &mut Counts) {
        let srun = |kind: &str, ranks: &str| {
            let mut srun = limited("srun");
            srun.envs(slurm.command("srun").get_envs().filter_map(|(name, value)| Some((name, value?))));
            srun.args(["-N3", "-n", ranks, &format!("--mpi={kind}")]).arg(self.place.file("meet"));
            srun
        };
        for kind in ["pmi2", "pmix"] {
            check(counts, &format!("srun --mpi={kind}: three hosts"), self.meets(srun(kind, "6"), &["2", "2", "2"]));
            let abort = self.ends(srun(kind, "3"), "abort", None, "MPI_Abort with error code 7");
            check(counts, &format!("srun --mpi={kind}: MPI_Abort"), abort);
            let exit = self.ends(srun(kind, "3"), "exit", None, "rank 2 of 3");
            check(counts, &format!("srun --mpi={kind}: exit without MPI_Finalize"), exit);
        }
        let inside = |ranks: u32| {
            let mut salloc = limited("salloc");
            salloc.envs(slurm.command("salloc").get_envs().filter_map(|(name, value)| Some((name, value?))));
            salloc.args(["-N3", "-n6"]).arg(self.place.prefix.join("bin/hpvmrun")).args(["-n", &ranks.to_string()]).arg(self.place.file("meet"));
            salloc
        };
        check(counts, "hpvmrun in an allocation: three hosts", self.meets(inside(6), &["2", "2", "2"]));
        let abort = self.ends(inside(5), "abort", Some(7), "MPI_Abort with error code 7");
        check(counts, "hpvmrun in an allocation: MPI_Abort", abort);
        let kill = self.ends(inside(5), "kill", Some(128 + 9), "on node3) was killed by signal 9");
        check(counts, "hpvmrun in an allocation: a rank is killed", kill);
        check(counts, "srun --mpi=none is refused", self.ends(srun("none", "3"), "none", None, "SLURM_PROCID"));
    }

    /// The program finds so many ranks on each host.
    fn meets(&self, mut launcher: Command, hosts: &[&str]) -> Result<()> {
        let text = exec::quiet(launcher.current_dir(self.place.folder()))?;
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        let counts = hosts.iter().map(|count| count.parse::<usize>()).collect::<Result<Vec<_>, _>>()?;
        let size: usize = counts.iter().sum();
        ensure!(lines.len() == size, "{} lines of {size} ranks:\n{text}", lines.len());
        let there = counts.iter().enumerate().flat_map(|(host, count)| std::iter::repeat_n((host, count), *count));
        for ((rank, line), (host, count)) in lines.iter().enumerate().zip(there) {
            ensure!(line.starts_with(&format!("rank {rank} of {size} on ")), "{line}");
            let host = if hosts.len() > 1 { format!("node{}", host + 1) } else { String::new() };
            ensure!(line.ends_with(&format!("{host}, with {count} there: {}", size * (size - 1) / 2)), "{line}");
        }
        Ok(())
    }

    /// The program ends badly in this way, with the status (any but 0 where it is not named), in time, and says one of these words.
    fn ends(&self, mut launcher: Command, how: &str, status: Option<i32>, words: &str) -> Result<()> {
        let said = launcher.arg(how).current_dir(self.place.folder()).output()?;
        let text = String::from_utf8_lossy(&said.stderr).into_owned() + &String::from_utf8_lossy(&said.stdout);
        let code = said.status.code().unwrap_or(0);
        ensure!(code != LATE, "it has not ended:\n{text}");
        ensure!(status.map_or(code != 0, |status| code == status), "it ends with {}:\n{text}", exec::ending(said.status));
        ensure!(words.split('|').any(|word| text.contains(word)), "it does not say {words:?}:\n{text}");
        Ok(())
    }
}

/// What `timeout` ends with.
const LATE: i32 = 124;

fn limited(program: &str) -> Command {
    let mut command = Command::new("timeout");
    command.args(["-k", "5", "60", program]);
    command
}
