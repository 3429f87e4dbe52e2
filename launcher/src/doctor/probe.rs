//! `hpvmd --probe`: tells what a machine is like, and calls others.
//!
//! It greets as for a job, and then answers one line for each that it reads: `facts`, `clock`, `listen TOKEN`, `call ADDRESS TOKEN`. It ends
//! with its standard input. The port of `listen` is [`echo`](super::echo)'s.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::{Resource, getrlimit};

use super::echo::{TOKEN_LENGTH, call, listen};
use crate::node::greeting::Offer;
use crate::sys;

/// All of `hpvmd --probe`.
pub fn main() -> u8 {
    let mut say = io::stdout();
    if say.write_all(Offer::own().greeting().as_bytes()).and_then(|()| say.flush()).is_err() {
        return 1;
    }
    for line in io::stdin().lines() {
        let Ok(line) = line else { break };
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words[..] {
            ["facts"] => facts(reading()),
            ["clock"] => SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos()).to_string(),
            ["listen", token] if token.len() == TOKEN_LENGTH => listen(token).unwrap_or_else(|error| format!("error {error}")),
            ["call", address, token] if token.len() == TOKEN_LENGTH => {
                address.parse().map_err(|_| "that is no address".to_owned()).and_then(|address| call(address, token).map_err(|error| error.to_string())).unwrap_or_else(|why| format!("error {why}"))
            }
            _ => "error unknown".into(),
        };
        if writeln!(say, "{answer}").and_then(|()| say.flush()).is_err() {
            break;
        }
    }
    0
}

/// `NAME=VALUE`, with tabs between them.
fn facts(reading: io::Result<()>) -> String {
    let limit = |resource| getrlimit(resource).current.map_or("unlimited".into(), |limit: u64| limit.to_string());
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = |name: &str| memory.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()).unwrap_or("0").to_owned();
    let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
    let facts = [
        ("host", rustix::system::uname().nodename().to_string_lossy().into_owned()),
        ("connection", std::env::var("SSH_CONNECTION").unwrap_or_default()),
        ("processors", thread::available_parallelism().map_or(1, usize::from).to_string()),
        ("memory", kib("MemTotal:")),
        ("free", kib("MemAvailable:")),
        ("files", limit(Resource::Nofile)),
        ("processes", if rustix::process::geteuid().is_root() { "unlimited".into() } else { limit(Resource::Nproc) }),
        ("address-space", limit(Resource::As)),
        ("locked", limit(Resource::Memlock)),
        ("reading", reading.map_or_else(|error| error.to_string(), |()| "yes".into())),
        ("ptrace-scope", scope.trim().into()),
    ];
    facts.map(|(name, value)| format!("{name}={}", value.replace(['\t', '\n'], " "))).join("\t")
}

/// What `--probe-read` looks for in `--probe-target`.
static MARK: [u8; 16] = *b"HPVM can read it";

/// Whether one process may read the memory of another that is not its child, as ranks of a machine do.
fn reading() -> io::Result<()> {
    let own = std::env::current_exe()?;
    let mut target = Command::new(&own).arg("--probe-target").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut address = String::new();
    let said = target.stdout.take().map(|from| BufReader::new(from).read_line(&mut address));
    let read = said.unwrap_or(Ok(0)).and_then(|_| Command::new(&own).args(["--probe-read", &target.id().to_string(), address.trim()]).output());
    // It ends with its standard input.
    drop(target.stdin.take());
    target.wait()?;
    match String::from_utf8_lossy(&read?.stdout).trim() {
        "yes" => Ok(()),
        why => Err(io::Error::other(why.to_owned())),
    }
}

/// `--probe-target`: a process to be read.
pub fn target() -> u8 {
    println!("{}", (&raw const MARK).addr());
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    0
}

/// `--probe-read PID ADDRESS`
pub fn read(pid: &str, address: &str) -> u8 {
    let mut found = [0; MARK.len()];
    let (Ok(pid), Ok(address)) = (pid.parse(), address.parse()) else { return 2 };
    match sys::read_process(pid, address, &mut found) {
        Ok(count) if count == MARK.len() && found == MARK => println!("yes"),
        Ok(_) => println!("it reads something else"),
        Err(error) => println!("{error}"),
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_told_in_one_line() {
        let text = facts(Err(io::Error::from_raw_os_error(1)));
        for name in ["host", "processors", "memory", "free", "files", "address-space", "reading"] {
            assert!(text.split('\t').any(|fact| fact.starts_with(&format!("{name}="))), "{name} in {text}");
        }
        assert!(!text.contains('\n'));
    }
}
