//! `up --daemons`: an `hpvmd --system` on each host, and two users who have keys for it besides this one; a third one's account has expired.
//!
//! Hosts see the folder of what is built at [`BUILT`], wherever the clone lies: users may not be allowed to look there. The users exist on the
//! hosts alone, in a copy of the lists of users that lies over this machine's.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context as _, Result, ensure};

use crate::exec;

/// Where hosts have the target folder.
pub const BUILT: &str = "/run/hpvm";

/// A user of the hosts, with a home in their private `/tmp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User {
    pub name: &'static str,
    pub id: u32,
}

pub const USERS: [User; 2] = [User { name: "ann", id: 64_001 }, User { name: "bob", id: 64_002 }];

/// Whose account has expired; `ann` has the key.
pub const EXPIRED: User = User { name: "old", id: 64_003 };

impl User {
    pub fn home(&self) -> String {
        format!("/tmp/home-{}", self.name)
    }
}

fn program(folder: &Path) -> PathBuf {
    folder.with_file_name("prefix").join("bin/hpvmd")
}

/// A key in that file; the public one.
fn key(folder: &Path, file: &str) -> Result<String> {
    let made = exec::quiet(Command::new(program(folder)).arg("--key").arg(folder.join(file)))?;
    Ok(made.trim().to_owned())
}

fn write(path: PathBuf, text: &str) -> Result<()> {
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// What is the same on all hosts: users and their keys. `folder` is the cluster's.
pub fn prepare(folder: &Path) -> Result<()> {
    let hpvmd = program(folder);
    ensure!(hpvmd.exists(), "{} is missing: `cargo xtask install --prefix {}` makes it", hpvmd.display(), folder.with_file_name("prefix").display());
    let (mut passwd, mut group) = (fs::read_to_string("/etc/passwd")?, fs::read_to_string("/etc/group")?);
    let mut shadow = "root:*:19000:0:99999:7:::\n".to_owned();
    for user in USERS.into_iter().chain([EXPIRED]) {
        let User { name, id } = user;
        passwd += &format!("{name}:x:{id}:{id}::{}:/bin/sh\n", user.home());
        group += &format!("{name}:x:{id}:\n");
        shadow += &format!("{name}:*:19000:0:99999:7::{}:\n", if user == EXPIRED { "19001" } else { "" });
    }
    for User { name, id } in USERS {
        write(folder.join(format!("authorized_keys.{name}")), &key(folder, &format!("{name}.key"))?)?;
        chown(folder.join(format!("{name}.key")), Some(id), Some(id))?;
    }
    write(folder.join("passwd"), &passwd)?;
    write(folder.join("group"), &group)?;
    write(folder.join("shadow"), &shadow)?;
    fs::copy(folder.join(format!("authorized_keys.{}", USERS[0].name)), folder.join(format!("authorized_keys.{}", EXPIRED.name)))?;
    write(folder.join("authorized_keys.root"), &key(folder, "root.key")?)
}

/// A host's settings; the public key of its daemon.
pub fn of_host(folder: &Path, name: &str, addresses: &[String]) -> Result<String> {
    let listen: Vec<_> = addresses.iter().map(|address| format!("\"{address}:14786\"")).collect();
    let text = format!(
        "contexts = 32\nlisten = [{}]\nhost-key = \"{BUILT}/cluster/{name}/daemon.key\"\nauthorized-keys = [\"{BUILT}/cluster/authorized_keys.%u\"]\n",
        listen.join(", ")
    );
    write(folder.join(name).join("hpvmd.toml"), &text)?;
    key(folder, &format!("{name}/daemon.key"))
}

/// The machine file of a user on the hosts.
pub fn machines_of(user: User, machines: &str) -> String {
    machines.replace("\nkey = \"root.key\"\n", &format!("\nkey = \"{}.key\"\n", user.name))
}

/// On the host itself, if it is to have a daemon: starts it. `host` is the host's folder.
pub fn start(host: &Path) -> Result<Option<Child>> {
    let (settings, cluster) = (host.join("hpvmd.toml"), host.parent().context("a host without a cluster")?);
    if !settings.exists() {
        return Ok(None);
    }
    let bind = |from: &Path, to: &str| exec::quiet(Command::new("mount").arg("--bind").arg(from).arg(to)).map(drop);
    fs::create_dir_all(BUILT)?;
    bind(cluster.parent().context("a cluster without a folder")?, BUILT)?;
    for list in ["passwd", "group", "shadow"] {
        bind(&cluster.join(list), &format!("/etc/{list}"))?;
    }
    for user in USERS {
        fs::create_dir_all(user.home())?;
        chown(user.home(), Some(user.id), Some(user.id))?;
        fs::set_permissions(user.home(), std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    }
    let mut hpvmd = Command::new(format!("{BUILT}/prefix/bin/hpvmd"));
    let child = hpvmd.arg("--system").arg(format!("{BUILT}/cluster/{}/hpvmd.toml", host.file_name().unwrap_or_default().to_string_lossy())).spawn();
    child.map(Some).context("cannot start hpvmd")
}
