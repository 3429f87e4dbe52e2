//! A user on a virtual host, and processes as the host numbers them.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::cluster::daemons::{BUILT, User};

/// A user, and the process in whose namespaces the host is.
pub struct Guest {
    pub first: u32,
    pub user: User,
}

impl Guest {
    /// A command of that user's there, in the user's home, with next to no environment.
    pub fn command(&self, program: &str) -> Command {
        let Guest { first, user } = self;
        let mut command = Command::new("nsenter");
        command.args(["--target", &first.to_string(), "--mount", "--uts", "--ipc", "--net", "--pid", "--"]);
        command.args(["setpriv", "--reuid", &user.id.to_string(), "--regid", &user.id.to_string(), "--clear-groups", "--bounding-set=-all", "--"]);
        command.args(["env", "-i", "-C", &user.home(), &format!("HOME={}", user.home()), "PATH=/usr/bin:/bin"]);
        // The program's own path to the library may not be one that the user can go.
        command.arg(format!("LD_LIBRARY_PATH={BUILT}/prefix/lib")).arg(program);
        command
    }

    /// Whether these words of the shell succeed.
    pub fn may(&self, words: &str) -> Result<bool> {
        let status = self.command("sh").args(["-c", words]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
        Ok(status.success())
    }
}

fn status(pid: i32, name: &str) -> Option<Vec<u32>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().map(|word| word.parse().ok()).collect()
}

pub fn uid(pid: i32) -> Option<u32> {
    status(pid, "Uid:")?.first().copied()
}

/// The number that a process of this user's has on its host.
pub fn inner(pid: i32, user: User) -> Option<u32> {
    let is_theirs = uid(pid) == Some(user.id);
    status(pid, "NSpid:").filter(|_| is_theirs)?.last().copied()
}
