//! The call to a node: an ssh that starts an `hpvmd` there, the channel through it, and what it says meanwhile. Or a connection to an `hpvmd`
//! that runs there as a service.

use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};

use super::cause;
use super::service::{self, Called};
use crate::node::channel::Channel;
use crate::node::machines::{Machine, Service};
use crate::node::pulse::Wait;

/// Of what ssh says before the node answers so much is kept.
const SAID_MAX: usize = 4 << 10;

pub struct Call {
    /// ssh.
    child: Option<Child>,
    /// In its place, where the service is and whose user's it is to be.
    service: Option<Called>,
    pub channel: Channel,
    /// ssh's, and what the remote side writes to its own.
    stderr: Option<ChildStderr>,
    said: String,
    /// For the answer.
    pub wait: Wait,
}

impl Call {
    pub fn start(machine: &Machine) -> io::Result<Self> {
        let mut child = command(machine, "--job").spawn()?;
        let (Some(from), Some(to), Some(stderr)) = (child.stdout.take(), child.stdin.take(), child.stderr.take()) else {
            return Err(io::Error::other("no pipes"));
        };
        rustix::io::ioctl_fionbio(&stderr, true)?;
        let channel = Channel::to_node(OwnedFd::from(from), OwnedFd::from(to))?;
        Ok(Self { child: Some(child), service: None, channel, stderr: Some(stderr), said: String::new(), wait: Wait::new(Instant::now()) })
    }

    /// Calls a service instead.
    pub fn to_service(machine: &Machine, service: &Service) -> Result<Self, String> {
        let (channel, called) = service::call(machine, service)?;
        Ok(Self { child: None, service: Some(called), channel, stderr: None, said: String::new(), wait: Wait::new(Instant::now()) })
    }

    /// One that was answered, in a way that is not this program's to know.
    #[cfg(fuzzing)]
    pub fn over(channel: Channel) -> Self {
        Self { child: None, service: None, channel, stderr: None, said: String::new(), wait: Wait::new(Instant::now()) }
    }

    pub fn is_to_service(&self) -> bool {
        self.service.is_some()
    }

    pub fn has_answered(&self) -> bool {
        self.channel.protocol().is_ok()
    }

    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let stderr = self.stderr.as_ref().map(|stderr| PollFd::new(stderr, PollFlags::IN));
        self.channel.interests().chain(stderr)
    }

    /// Whole lines that the node has to say to people. What comes before it answers is kept: it is about ssh's way
    /// there, and of interest only where there is none.
    pub fn listen(&mut self) -> Vec<String> {
        self.read();
        if !self.has_answered() {
            return Vec::new();
        }
        let Some(end) = self.said.rfind('\n') else { return Vec::new() };
        let rest = self.said.split_off(end + 1);
        std::mem::replace(&mut self.said, rest).lines().map(String::from).collect()
    }

    fn read(&mut self) {
        let mut bytes = [0; 4 << 10];
        while let Some(stderr) = &mut self.stderr {
            match stderr.read(&mut bytes) {
                Ok(0) => self.stderr = None,
                Ok(count) if self.said.len() < SAID_MAX => self.said += &String::from_utf8_lossy(&bytes[..count]),
                Ok(_) => (),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => self.stderr = None,
            }
        }
    }

    /// What was said before the node answered is forgotten.
    pub fn answered(&mut self) {
        self.read();
        self.said.clear();
    }

    /// Why the channel is closed, as the end of a sentence that begins with the machine's name.
    pub fn obituary(&mut self, machine: &Machine) -> String {
        if let Some(silence) = self.channel.silence() {
            let seconds = silence.as_secs_f64();
            return format!(
                "is lost: nothing was heard of its hpvmd for {seconds} s (--heartbeat); it was stopped, the machine stands still or the \
                 network does not carry"
            );
        }
        if let Some(text) = self.channel.nonsense() {
            return format!("cannot be used: {text}");
        }
        if let Some(called) = &self.service {
            return called.obituary(self.has_answered(), self.channel.fault());
        }
        // Its output has ended, so that it is about to end itself.
        let mut ending = None;
        for _ in 0..50 {
            ending = self.child.as_mut().and_then(|ssh| ssh.try_wait().ok().flatten());
            if ending.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        self.read();
        let how = ending.map_or_else(|| "it hung up".into(), |status| status.to_string());
        match self.channel.protocol() {
            Ok(_) if self.said.trim().is_empty() => format!("is lost: the connection to its hpvmd has ended ({how})"),
            Ok(_) => format!("is lost: the connection to its hpvmd has ended ({how}); it said: {}", self.said.trim()),
            Err(printed) => {
                let said = [self.said.trim(), &printed].join("\n").trim().to_owned();
                failure(machine, ending, &said)
            }
        }
    }

    /// The same for one that has not answered in time.
    pub fn late(&mut self, machine: &Machine, limit: Duration) -> String {
        if let Some(called) = &self.service {
            return called.late(limit);
        }
        self.read();
        let waited = format!("no answer for {:.0} s (--start-timeout)", limit.as_secs_f64());
        let said = [self.said.trim(), &self.channel.protocol().err().unwrap_or_default()].join("\n").trim().to_owned();
        unreachable(machine, &waited, "it still runs", &said)
    }
}

/// Why an ssh that has ended did not lead to an `hpvmd`.
pub fn failure(machine: &Machine, ending: Option<ExitStatus>, said: &str) -> String {
    let guess = cause::of(ending, said).map(|cause| cause.text(&hpvmd(machine).display().to_string()));
    let how = ending.map_or_else(|| "it hung up".into(), |status| status.to_string());
    let way = if machine.by_srun { "srun" } else { "ssh" };
    unreachable(machine, &guess.unwrap_or_else(|| format!("{way} did not lead to an hpvmd")), &how, said)
}

fn unreachable(machine: &Machine, why: &str, how: &str, said: &str) -> String {
    let said = if said.is_empty() { String::new() } else { format!("; it said: {said}") };
    format!("cannot be reached: {why}\n  {}: {how}{said}", shown(machine))
}

impl Drop for Call {
    /// An ssh that hangs would not notice that nobody listens any more.
    fn drop(&mut self) {
        self.child.as_mut().map(Child::kill);
    }
}

fn hpvmd(machine: &Machine) -> PathBuf {
    let beside = || std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("hpvmd")));
    machine.hpvmd.clone().or_else(beside).unwrap_or(PathBuf::from("hpvmd"))
}

/// What starts a machine's `hpvmd`; `task` is what it is told to do.
pub fn command(machine: &Machine, task: &str) -> Command {
    let hpvmd = hpvmd(machine);
    let mut command = match machine.ssh.split_first() {
        None => Command::new(&hpvmd),
        Some((srun, options)) if machine.by_srun => {
            let mut command = Command::new(srun);
            command.args(options).arg(format!("--nodelist={}", machine.address)).arg(&hpvmd).arg(task);
            command
        }
        Some((ssh, options)) => {
            let mut command = Command::new(ssh);
            // One word for the shell there.
            let quoted = hpvmd.to_string_lossy().replace('\'', r"'\''");
            command.args(options).arg("-T").arg(&machine.address).arg(format!("exec '{quoted}' {task}"));
            command
        }
    };
    if machine.ssh.is_empty() {
        command.arg(task);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // What is said there is about our own way here.
    command.env_remove("SSH_CONNECTION").env_remove("SLURM_LAUNCH_NODE_IPADDR");
    command
}

/// How to name it in a text.
pub fn shown(machine: &Machine) -> String {
    match machine.ssh.is_empty() {
        true => hpvmd(machine).display().to_string(),
        false => format!("{} {}", machine.ssh.join(" "), machine.address),
    }
}
