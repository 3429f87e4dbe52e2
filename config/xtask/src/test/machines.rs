//! Jobs on hosts of two networks: who goes where, over which network they talk, that messages pass there, and what `hpvmrun doctor` finds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use mpi_suite::report::Counts;

use super::check;
use super::examples::Place;
use crate::cluster::{Hosts, Wanted};
use crate::exec;
use crate::repo::Repo;
use crate::tools;

pub fn run(repo: &Repo) -> Result<Counts> {
    let mut counts = Counts::default();
    if !tools::is_root() {
        println!("skip  machines: virtual hosts take root");
        return Ok(Counts { skipped: 1, ..counts });
    }
    let hosts = Hosts::make(repo, &Wanted { hosts: 3, fabrics: 2, slots: 2, daemons: false })?;
    let place = Place::new(repo)?;
    place.compile("heat2d")?;
    let jobs = Jobs { machines: rewrite(&hosts.machines, &place)?, place };
    check(&mut counts, "machines: where ranks go", jobs.placement());
    check(&mut counts, "machines: which network they take", jobs.networks());
    check(&mut counts, "machines: messages over both networks", jobs.messages());
    check(&mut counts, "machines: the doctor", jobs.doctor());
    Ok(counts)
}

/// A machine file that prefers the second network, to which node3 is not attached.
fn rewrite(machines: &Path, place: &Place) -> Result<PathBuf> {
    let text = fs::read_to_string(machines)?;
    // The first table is the preferred one.
    let (one, other) = ("name = \"fabric0\"", "name = \"fabric1\"");
    let text = text.replace(one, "name = other").replace(other, one).replace("name = other", other);
    let end = text.rfind(", fabric1").context("node3 has no second network")?;
    let path = place.file("machines.toml");
    fs::write(&path, format!("{} }}\n", &text[..end]))?;
    Ok(path)
}

struct Jobs {
    machines: PathBuf,
    place: Place,
}

impl Jobs {
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(self.place.prefix.join("bin/hpvmrun"));
        command.env("HPVM_MACHINES", &self.machines).env("HPVM_TIMEOUT", "60").args(words).current_dir(self.place.folder());
        command
    }

    /// The host of each rank.
    fn hosts(&self, words: &[&str]) -> Result<String> {
        let text = exec::quiet(self.command(words).args(["sh", "-c", "echo $HPVM_RANK $(hostname)"]))?;
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        Ok(lines.iter().filter_map(|line| line.rsplit_once("node").map(|(_, number)| number)).collect())
    }

    fn placement(&self) -> Result<()> {
        fs::write(self.place.file("hosts"), "node3 slots=1\nnode2:1\n")?;
        fs::write(self.place.file("ranks"), "rank 0=node3\nrank 1=node1 slot=0\nrank 2=node3 slot=0\n")?;
        for (words, expected) in [
            (&["-n", "5"][..], "11223"),
            (&["-n", "5", "--map-by", "node"], "12312"),
            (&["-n", "4", "-H", "node[3,2]:1"], "3232"),
            (&["-n", "3", "--hostfile", "hosts"], "323"),
            (&["-n", "3", "--rankfile", "ranks"], "313"),
        ] {
            let found = self.hosts(words)?;
            ensure!(found == expected, "{words:?}: {found} instead of {expected}");
            let told = exec::quiet(self.command(&[&["--dry-run"], words].concat()).arg("true"))?;
            let on = |line: &str| Some(line.strip_prefix("rank ")?.split_once(": on node")?.1.chars().next()?.to_string());
            let told: String = told.lines().filter_map(on).collect();
            ensure!(told == expected, "{words:?}: --dry-run tells {told} instead of {expected}");
        }
        Ok(())
    }

    /// A host's address in a network, from the machine file.
    fn address(&self, host: usize, network: &str) -> Result<String> {
        let text = fs::read_to_string(&self.machines)?;
        let line = text.lines().filter(|line| line.starts_with("networks")).nth(host - 1).context("a host without networks")?;
        let rest = line.split_once(&format!("{network} = \"")).with_context(|| format!("no {network} in {line}"))?.1;
        Ok(rest.split('"').next().unwrap_or_default().to_owned())
    }

    /// Each rank has the table of addresses; its descriptor is inherited.
    fn networks(&self) -> Result<()> {
        let table = "sed -n \"s/^\\([0-9]\\) \\(.*\\):.*/$HPVM_RANK finds \\1 at \\2/p\" /proc/self/fd/${HPVM_NET_FD%%:*}";
        let text = exec::quiet(self.command(&["-n", "3", "--ppn", "1"]).args(["sh", "-c", table]))?;
        for (from, to, network) in [(1, 2, "fabric1"), (2, 1, "fabric1"), (1, 3, "fabric0"), (3, 1, "fabric0"), (3, 2, "fabric0")] {
            let line = format!("{} finds {} at {}", from - 1, to - 1, self.address(to, network)?);
            ensure!(text.lines().any(|found| found == line), "no {line:?} in\n{text}");
        }
        Ok(())
    }

    fn messages(&self) -> Result<()> {
        let picture = |name: &str, words: &[&str]| -> Result<Vec<u8>> {
            exec::quiet(self.command(&[&["-n", "6"], words].concat()).arg(self.place.file("heat2d")).args([name, "100"]))?;
            fs::read(self.place.file(name)).with_context(|| format!("no {name}"))
        };
        let one = picture("one.png", &["-m", "none"])?;
        ensure!(picture("many.png", &[])? == one, "the picture differs from that of one machine");
        ensure!(picture("secret.png", &["--encrypt"])? == one, "the encrypted picture differs");
        let told = "grep ^encrypt /proc/self/fd/${HPVM_NET_FD%%:*}";
        let text = exec::quiet(self.command(&["--encrypt", "-n", "2", "--ppn", "1"]).args(["sh", "-c", told]))?;
        ensure!(text == "encrypt yes\nencrypt yes\n", "ranks are told {text:?}");
        Ok(())
    }

    fn doctor(&self) -> Result<()> {
        // Whether there is something to mend is this machine's business.
        let output = self.command(&["doctor"]).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.code().is_some_and(|status| status < 2), "it ends with {}\n{text}", exec::ending(output.status));
        for (from, to, network) in [(1, 2, "fabric1"), (1, 3, "fabric0"), (2, 3, "fabric0")] {
            let line = format!("node{from} to node{to} at {}: ", self.address(to, network)?);
            ensure!(text.lines().any(|found| found.starts_with(&line) && found.ends_with(" GB/s")), "no {line:?} in\n{text}");
        }
        Ok(())
    }
}
