//! One node, as the relay sees it: the ssh that leads there, and how far it has come.

use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::event::PollFd;

use crate::node::channel::Channel;
use crate::node::frame::Frame;
use crate::node::job::NodeJob;
use crate::node::machines::Machine;
use crate::plan::Plan;

/// How far a node has come.
#[derive(Debug)]
pub enum Stage {
    /// ssh was started, the job sent.
    Called,
    /// It has sockets for its ranks and waits for the others.
    Ready { connection: String, ports: Vec<u16> },
    Running,
    /// Everything on it has ended in order.
    Done,
    Lost,
}

impl Stage {
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::Lost)
    }
}

pub struct Node {
    name: String,
    pub ranks: Vec<u32>,
    pub stage: Stage,
    /// What `introduce` needs, kept beyond the stage.
    call: io::Result<(Child, Channel)>,
    command: String,
    pub refused: Option<String>,
}

impl Node {
    /// Starts an `hpvmd` there and sends it its share of the job.
    pub fn call(plan: &Plan, index: usize, machine: &Machine) -> Self {
        let ranks = plan.ranks.iter().filter(|rank| rank.place.node as usize == index).map(|rank| rank.place.rank).collect();
        let (mut command, shown) = command(machine);
        let call = command.spawn().and_then(|mut child| {
            let (Some(from), Some(to)) = (child.stdout.take(), child.stdin.take()) else {
                return Err(io::Error::other("no pipes"));
            };
            let mut channel = Channel::to_node(OwnedFd::from(from), OwnedFd::from(to))?;
            channel.send(&Frame::Job(NodeJob::of(plan, index).encode()));
            Ok((child, channel))
        });
        Self { name: machine.name.clone(), ranks, stage: Stage::Called, call, command: shown, refused: None }
    }

    pub fn send(&mut self, frame: &Frame) {
        if let Ok((_, channel)) = &mut self.call {
            channel.send(frame);
        }
    }

    pub fn flush(&mut self) {
        if let Ok((_, channel)) = &mut self.call {
            channel.flush();
        }
    }

    pub fn receive(&mut self) -> Vec<Frame> {
        let Ok((_, channel)) = &mut self.call else { return Vec::new() };
        channel.flush();
        channel.receive()
    }

    pub fn ready(&mut self, connection: String, ports: Vec<u16>) {
        if matches!(self.stage, Stage::Called) && ports.len() == self.ranks.len() {
            self.stage = Stage::Ready { connection, ports };
        }
    }

    /// Everything there is to end. A node that has started nothing ends with its channel.
    pub fn finish(&mut self) {
        match (&self.stage, &mut self.call) {
            (Stage::Running, Ok((_, channel))) => channel.send(&Frame::Order(crate::link::Message::Finish)),
            (Stage::Called | Stage::Ready { .. }, _) => {
                self.call = Err(io::Error::other("hung up"));
                self.stage = Stage::Done;
            }
            _ => (),
        }
    }

    pub fn is_lost(&self) -> bool {
        !self.stage.is_over() && self.call.as_ref().map_or(true, |(_, channel)| channel.is_closed())
    }

    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let channel = self.call.as_ref().ok().filter(|_| !self.stage.is_over()).map(|(_, channel)| channel);
        channel.into_iter().flat_map(Channel::interests)
    }

    /// The same without what would bring more.
    pub fn writing_interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let channel = self.call.as_ref().ok().filter(|_| !self.stage.is_over()).map(|(_, channel)| channel);
        channel.into_iter().flat_map(Channel::writing_interests)
    }

    /// A word of `SSH_CONNECTION`: the client's address and port, then the server's.
    pub fn connection_word(&self, index: usize) -> Option<IpAddr> {
        match &self.stage {
            Stage::Ready { connection, .. } => connection.split_whitespace().nth(index)?.parse().ok(),
            _ => None,
        }
    }

    pub fn port(&self, local_rank: usize) -> u16 {
        match &self.stage {
            Stage::Ready { ports, .. } => ports.get(local_rank).copied().unwrap_or(0),
            _ => 0,
        }
    }

    /// Why it is lost, as a sentence.
    pub fn obituary(&mut self) -> String {
        let (name, command) = (&self.name, &self.command);
        if let Some(text) = &self.refused {
            return format!("{name}: {text}");
        }
        let (child, channel) = match &mut self.call {
            Ok(call) => call,
            Err(error) => return format!("{name} cannot be reached: {command}: {error}"),
        };
        if let Some(text) = channel.nonsense() {
            return format!("{name} cannot be used: {text}");
        }
        // Its output has ended, so that it is about to end itself.
        let mut ending = None;
        for _ in 0..50 {
            ending = child.try_wait().ok().flatten();
            if ending.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let ending = ending.map_or_else(|| "it hung up".into(), |status| status.to_string());
        match channel.greeted() {
            Ok(()) => format!("the connection to {name} is lost ({ending}); its ranks are ended there"),
            Err(said) if said.is_empty() => format!("{name} cannot be reached: {command}: {ending}"),
            Err(said) => format!("{name} cannot be reached: {command}: {ending}; it said: {said}"),
        }
    }
}

/// What starts a machine's `hpvmd`, and how to name it in a text.
fn command(machine: &Machine) -> (Command, String) {
    let beside = || std::env::current_exe().ok().and_then(|own| Some(own.parent()?.join("hpvmd")));
    let hpvmd = machine.hpvmd.clone().or_else(beside).unwrap_or(PathBuf::from("hpvmd"));
    let (mut command, shown) = match machine.ssh.split_first() {
        None => (Command::new(&hpvmd), hpvmd.display().to_string()),
        Some((ssh, options)) => {
            let mut command = Command::new(ssh);
            // One word for the shell there.
            let quoted = hpvmd.to_string_lossy().replace('\'', r"'\''");
            command.args(options).arg("-T").arg(&machine.address).arg(format!("exec '{quoted}' --job"));
            (command, format!("{} {}", machine.ssh.join(" "), machine.address))
        }
    };
    if machine.ssh.is_empty() {
        command.arg("--job");
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove("SSH_CONNECTION");
    (command, shown)
}
