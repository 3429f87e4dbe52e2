//! One node, as the relay sees it, and how far it has come.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use rustix::event::PollFd;

use super::call::{self, Call};
use crate::link::Message;
use crate::node::frame::Frame;
use crate::node::job::NodeJob;
use crate::node::machines::Machine;
use crate::plan::Plan;

/// How far a node has come.
#[derive(Debug)]
pub enum Stage {
    /// It is not its turn yet.
    Waiting,
    /// ssh was started.
    Called,
    /// It has answered and been sent the job.
    Told,
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

/// A service either runs and answers at once, or not.
const SERVICE_MAX: Duration = Duration::from_secs(5);

/// How long an answer to a call is waited for.
fn time_for_an_answer(machine: &Machine, call: &Call, start: Option<Duration>) -> Option<Duration> {
    let has_ssh = machine.service.as_ref().is_some_and(|service| !service.only);
    if call.is_to_service() && has_ssh { Some(start.map_or(SERVICE_MAX, |start| start.min(SERVICE_MAX))) } else { start }
}

pub struct Node<'a> {
    machine: &'a Machine,
    pub ranks: Vec<u32>,
    pub stage: Stage,
    call: Option<Call>,
    ssh_was_tried: bool,
    /// Why it cannot be used, where that is not for the call to tell.
    trouble: Option<String>,
}

impl<'a> Node<'a> {
    pub fn new(plan: &Plan, index: usize, machine: &'a Machine) -> Self {
        let ranks = plan.ranks.iter().filter(|rank| rank.place.node as usize == index).map(|rank| rank.place.rank);
        Self { machine, ranks: ranks.collect(), stage: Stage::Waiting, call: None, ssh_was_tried: false, trouble: None }
    }

    pub fn name(&self) -> &str {
        &self.machine.name
    }

    /// Calls an `hpvmd` there: the one that runs, or one that ssh starts.
    pub fn call(&mut self) {
        self.stage = Stage::Called;
        let Some(service) = &self.machine.service else { return self.start() };
        match Call::to_service(self.machine, service) {
            Ok(call) => self.call = Some(call),
            Err(why) => self.trouble = Some(why),
        }
    }

    /// If the one that is said to run cannot be used and ssh may be tried, does that; why.
    pub fn call_by_ssh(&mut self) -> Option<String> {
        let may = matches!(self.stage, Stage::Called) && self.machine.service.as_ref().is_some_and(|service| !service.only);
        if !may || self.ssh_was_tried {
            return None;
        }
        let why = self.why_lost();
        self.start();
        Some(why)
    }

    #[cfg(fuzzing)]
    pub fn answer_for(&mut self, call: Call) {
        self.call = Some(call);
    }

    fn start(&mut self) {
        self.ssh_was_tried = true;
        match Call::start(self.machine) {
            Ok(call) => self.call = Some(call),
            Err(error) => self.trouble = Some(format!("cannot be reached: {}: {error}", call::shown(self.machine))),
        }
    }

    /// Whether it has answered just now: it is sent its share of the job.
    pub fn greet(&mut self, plan: &Plan, index: usize, silence: Option<Duration>) -> bool {
        let Some(call) = self.call.as_mut().filter(|_| matches!(self.stage, Stage::Called)) else { return false };
        let Ok(protocol) = call.channel.protocol() else { return false };
        call.answered();
        call.channel.listen(silence);
        let silence = silence.map_or(0, |silence| silence.as_millis().try_into().unwrap_or(u32::MAX));
        call.channel.send(&Frame::Hello { protocol, silence });
        call.channel.send(&Frame::Job(NodeJob::of(plan, index).encode()));
        self.stage = Stage::Told;
        true
    }

    pub fn send(&mut self, frame: &Frame) {
        if let Some(call) = &mut self.call {
            call.channel.send(frame);
        }
    }

    pub fn receive(&mut self) -> Vec<Frame> {
        let Some(call) = &mut self.call else { return Vec::new() };
        call.channel.flush();
        call.channel.receive()
    }

    /// What it has to say to people.
    pub fn listen(&mut self) -> Vec<String> {
        self.call.as_mut().map(Call::listen).unwrap_or_default()
    }

    /// Looks whether it still is there, and has answered in time.
    pub fn look(&mut self, now: Instant, start: Option<Duration>) {
        let Some(call) = self.call.as_mut().filter(|_| !self.stage.is_over()) else { return };
        call.channel.look(now);
        let waits = matches!(self.stage, Stage::Called) && self.trouble.is_none() && !call.channel.is_closed();
        if let Some(limit) = time_for_an_answer(self.machine, call, start).filter(|limit| waits && call.wait.is_over(now, *limit)) {
            self.trouble = Some(call.late(self.machine, limit));
        }
    }

    pub fn next_look(&self, start: Option<Duration>) -> Option<Instant> {
        let call = self.call.as_ref().filter(|_| !self.stage.is_over())?;
        let limit = time_for_an_answer(self.machine, call, start).filter(|_| matches!(self.stage, Stage::Called));
        let answer = limit.map(|limit| call.wait.next(limit));
        [call.channel.next_look(), answer].into_iter().flatten().min()
    }

    pub fn ready(&mut self, connection: String, ports: Vec<u16>) {
        if matches!(self.stage, Stage::Told) && ports.len() == self.ranks.len() {
            self.stage = Stage::Ready { connection, ports };
        }
    }

    /// It cannot go on, and says why.
    pub fn refuses(&mut self, text: String) {
        self.trouble.get_or_insert(format!("cannot go on: {text}"));
    }

    /// Everything there is to end. A node that has started nothing ends with its channel.
    pub fn finish(&mut self) {
        match self.stage {
            Stage::Running => self.send(&Frame::Order(Message::Finish)),
            Stage::Waiting | Stage::Called | Stage::Told | Stage::Ready { .. } => self.hang_up(Stage::Done),
            Stage::Done | Stage::Lost => (),
        }
    }

    pub fn hang_up(&mut self, stage: Stage) {
        self.call = None;
        self.stage = stage;
    }

    pub fn is_lost(&self) -> bool {
        let closed = self.call.as_ref().is_none_or(|call| call.channel.is_closed());
        !self.stage.is_over() && !matches!(self.stage, Stage::Waiting) && (self.trouble.is_some() || closed)
    }

    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let call = self.call.as_ref().filter(|_| !self.stage.is_over());
        call.into_iter().flat_map(Call::interests)
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
        format!("{} {}", self.machine.name, self.why_lost())
    }

    fn why_lost(&mut self) -> String {
        match (self.trouble.take(), &mut self.call) {
            (Some(trouble), _) => trouble,
            (None, Some(call)) => call.obituary(self.machine),
            (None, None) => "is lost".into(),
        }
    }

    /// Whether it has not answered yet.
    pub fn is_being_called(&self) -> bool {
        matches!(self.stage, Stage::Called)
    }
}
