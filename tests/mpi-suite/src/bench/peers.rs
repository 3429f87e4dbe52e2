//! The MPIs that ours is measured against.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::Options;
use super::plan::When;
use crate::{Mpi, home};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    peer: Vec<Entry>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    family: String,
    packages: Vec<String>,
    when: Vec<When>,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
}

/// An installed peer, in one of its settings.
#[derive(Clone, Debug)]
pub struct Peer {
    pub mpi: Mpi,
    /// Settings of one family run the same binaries.
    pub family: String,
    pub when: Vec<When>,
    /// Versions and settings, for the report.
    pub settings: String,
}

/// Installs the peers that are asked for into environments of their own below the cache.
pub fn install(options: &Options) -> Result<Vec<Peer>> {
    let families = &options.against;
    let path = home().join("bench/peers.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let listed: Listed = toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
    for family in families {
        let known = listed.peer.iter().any(|entry| entry.family == *family);
        ensure!(known, "no peer \"{family}\" in {}", path.display());
    }
    let wanted = listed.peer.iter().filter(|entry| families.is_empty() || families.contains(&entry.family));
    let takes_part = |entry: &&Entry| entry.when.iter().any(|when| (*when == When::Net) == options.net.is_some());
    let ssh = options.net.as_ref().map(|hosts| Ok::<_, anyhow::Error>((hosts, hosts.ssh_command(&options.work_dir)?))).transpose()?;
    let fill = |text: &str| ssh.as_ref().map_or_else(|| text.to_owned(), |(hosts, ssh)| hosts.fill(text, ssh));
    wanted.filter(takes_part).map(|entry| install_one(entry, options, fill)).collect()
}

/// `fill` puts in what is known of hosts.
fn install_one(entry: &Entry, options: &Options, fill: impl Fn(&str) -> String) -> Result<Peer> {
    // The versions are in the name: another version is another environment.
    let root = options.cache.join("peers").join(entry.packages.join("+"));
    if !root.join("complete").exists() {
        println!("installing {} into {}", entry.packages.join(" "), root.display());
        make_environment(&entry.packages, &root).with_context(|| format!("installing {}", entry.name))?;
    }
    let bin = root.join("bin");
    let filled = |value: &String| fill(&value.replace("{root}", &root.display().to_string()));
    let mut mpi = Mpi::other(&entry.name, &bin.join("mpicc"), &bin.join("mpicxx"), &bin.join("mpiexec"));
    mpi.launcher_args = entry.args.iter().map(|arg| filled(arg).into()).collect();
    mpi.env = entry.env.iter().map(|(name, value)| (name.into(), filled(value).into())).collect();
    // Their launchers look for their helpers there.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths([bin].into_iter().chain(std::env::split_paths(&path)))?;
    mpi.env.push(("PATH".into(), path));
    let env: Vec<String> = entry.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let settings = [entry.packages.clone(), env, entry.args.clone()].concat().join(" ");
    Ok(Peer { mpi, family: entry.family.clone(), when: entry.when.clone(), settings })
}

fn make_environment(packages: &[String], root: &Path) -> Result<()> {
    if root.exists() {
        std::fs::remove_dir_all(root)?;
    }
    std::fs::create_dir_all(root)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(root))?;
    run(Command::new(root.join("bin/pip")).args(["install", "--quiet", "--disable-pip-version-check"]).args(packages))?;
    std::fs::write(root.join("complete"), "").context("marking the environment complete")
}

fn run(command: &mut Command) -> Result<()> {
    let done = command.stdin(Stdio::null()).output().with_context(|| format!("running {command:?}"))?;
    if !done.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&done.stderr).trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_fixed_versions() {
        let text = std::fs::read_to_string(home().join("bench/peers.toml")).unwrap();
        let listed: Listed = toml::from_str(&text).unwrap();
        assert!(listed.peer.len() >= 4);
        for entry in listed.peer {
            assert!(entry.packages.iter().all(|package| package.contains("==")), "{}", entry.name);
            assert!(!entry.when.is_empty(), "{}", entry.name);
        }
    }
}
