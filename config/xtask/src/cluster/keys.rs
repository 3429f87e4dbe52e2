//! Keys and settings of ssh: nothing of the user's is read or changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::exec;

/// Makes the user's key, and the settings with which ssh uses it: for people too, `ssh -F target/cluster/ssh_config node1`.
pub fn of_user(folder: &Path, hosts: &[(String, String)]) -> Result<PathBuf> {
    make(&folder.join("key"))?;
    let key = folder.join("key");
    let mut text = format!(
        "IdentityFile \"{}\"\nIdentitiesOnly yes\nIdentityAgent none\nBatchMode yes\nConnectTimeout 20\n\
         StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nGlobalKnownHostsFile /dev/null\nLogLevel ERROR\n",
        key.display()
    );
    for (name, address) in hosts {
        text += &format!("Host {name}\n  HostName {address}\n");
    }
    let path = folder.join("ssh_config");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Makes a host's key and its sshd's settings.
///
/// A shell that finds itself below another one does not read the user's settings: those may take seconds, and what they lock in the home
/// folder, which all hosts share, would stay locked when a host is removed.
pub fn of_host(folder: &Path, host: &Path, addresses: &[String]) -> Result<PathBuf> {
    make(&host.join("host_key"))?;
    let mut text = format!(
        "HostKey \"{}\"\nAuthorizedKeysFile \"{}\"\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\n\
         PermitRootLogin prohibit-password\nPrintMotd no\nMaxStartups 100\nLogLevel ERROR\nSetEnv SHLVL=1\n",
        host.join("host_key").display(),
        folder.join("key.pub").display()
    );
    for address in addresses {
        text += &format!("ListenAddress {address}\n");
    }
    let path = host.join("sshd_config");
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

fn make(key: &Path) -> Result<()> {
    exec::quiet(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "hpvm-cluster", "-f"]).arg(key)).map(drop)
}
