//! One of the two processes: what it sends, and what it makes of what comes.

use super::super::Random;
use super::plan::{MESSAGE_MAX, Plan};
use crate::reliability::{Failure, Flow, Path, Received, Refused, Settings};

pub(super) struct End {
    me: usize,
    random: Random,
    incarnation: u32,
    /// `None` while the process is down.
    flow: Option<Flow>,
    settings: Settings,
    /// Messages still to be sent, and when the next ones are.
    left: u64,
    push_ns: u64,
    /// Mean time between bursts.
    pause_ns: u64,
    /// Numbers of the next message to be sent, and to be taken, on this flow.
    next: u64,
    expected: u64,
    /// When to look again at what was not taken.
    look_ns: u64,
    wake_ns: u64,
    heard_ns: u64,
    pub(super) pushed: u64,
    pub(super) given_up: u64,
    pub(super) restarts: u64,
}

/// Messages that are sent at once, at most.
const BURST: u64 = 32;

impl End {
    pub(super) fn new(me: usize, plan: &Plan, random: Random) -> End {
        let incarnation = 1 + me as u32;
        let peer = plan.introduced.then_some(2 - me as u32);
        let settings =
            Settings { incarnation, peer, paths: plan.paths.len() as u8, window: plan.window, give_up_ns: plan.give_up_ns };
        End {
            me,
            random,
            incarnation,
            flow: Some(Flow::new(settings)),
            settings,
            left: plan.messages[me],
            push_ns: 0,
            pause_ns: plan.faults_end_ns * (BURST / 2) / (plan.messages[me] + 1),
            next: 0,
            expected: 0,
            look_ns: u64::MAX,
            wake_ns: 0,
            heard_ns: 0,
            pushed: 0,
            given_up: 0,
            restarts: 0,
        }
    }

    pub(super) fn incarnation(&self) -> u32 {
        self.incarnation
    }

    pub(super) fn deadline_ns(&self) -> u64 {
        self.wake_ns
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.flow.as_ref().is_some_and(|flow| flow.is_settled() && !flow.is_ready() && flow.failure().is_none())
    }

    pub(super) fn doing(&self) -> String {
        let Some(flow) = &self.flow else { return format!("process {} is down", self.me) };
        let paths: Vec<_> = (0..self.settings.paths).map(|path| flow.path(Path(path))).collect();
        let (me, left, failure) = (self.me, self.left, flow.failure());
        format!("process {me} ({left} messages to send, settled {}, ready {}, failure {failure:?}, {paths:?})", flow.is_settled(), flow.is_ready())
    }

    pub(super) fn sleep(&mut self, until_ns: u64) {
        self.wake_ns = until_ns;
    }

    /// The process is down until a later one takes its place.
    pub(super) fn crash(&mut self, restart_ns: u64) {
        self.wake_ns = restart_ns;
        if self.flow.take().is_some() {
            self.given_up += self.next;
        }
    }

    pub(super) fn receive(&mut self, now_ns: u64, frame: &[u8]) -> Result<(), String> {
        let Some(flow) = &mut self.flow else { return Ok(()) };
        match flow.receive(now_ns, frame) {
            Ok(Received::Next(message)) => {
                let from = flow.peer();
                self.heard_ns = now_ns;
                return self.check(from, message);
            }
            Ok(_) | Err(Refused::Repeated) => self.heard_ns = now_ns,
            Err(_) => {}
        }
        Ok(())
    }

    /// Whether it is the message whose turn it is.
    fn check(&mut self, from: Option<u32>, message: &[u8]) -> Result<(), String> {
        let number = self.expected;
        self.expected += 1;
        if from.is_some_and(|from| message == message_of(from, number)) {
            return Ok(());
        }
        let found = message.first_chunk().map(|head| u64::from_le_bytes(*head));
        Err(format!("process {} expects message {number} of {from:?} and gets {} bytes of {found:?}", self.me, message.len()))
    }

    /// Does what the process does whenever it runs, but takes nothing until `holds_ns`. `other` is the incarnation that the other process has now.
    pub(super) fn wake(&mut self, now_ns: u64, other: u32, holds_ns: Option<u64>) -> Result<(), String> {
        match self.flow.as_ref().map(Flow::failure) {
            None => self.restart(),
            Some(None) => {}
            Some(Some(Failure::Restarted { incarnation })) => {
                let before = self.flow.as_ref().and_then(Flow::peer);
                if incarnation > other || before.is_none_or(|before| incarnation <= before) {
                    return Err(format!("{incarnation} in the place of {before:?} is believed in, {other} is there"));
                }
                self.given_up += self.next;
                self.settings.peer = Some(incarnation);
                self.begin();
            }
            Some(Some(Failure::Silent)) => {
                if now_ns < self.heard_ns + self.settings.give_up_ns {
                    return Err(format!("silent, but heard {} ns ago", now_ns - self.heard_ns));
                }
                self.given_up += self.next;
                self.restart();
            }
        }
        match holds_ns {
            Some(until_ns) => self.look_ns = until_ns,
            None => self.take(now_ns)?,
        }
        self.push(now_ns);
        Ok(())
    }

    /// Another process in this place.
    fn restart(&mut self) {
        // Two numbers belong to each process that there has been: they never are the same.
        self.incarnation += 2;
        self.restarts += 1;
        self.settings = Settings { incarnation: self.incarnation, peer: None, ..self.settings };
        self.begin();
    }

    fn begin(&mut self) {
        self.flow = Some(Flow::new(self.settings));
        (self.next, self.expected) = (0, 0);
    }

    /// Takes all that is there, or less.
    fn take(&mut self, now_ns: u64) -> Result<(), String> {
        let is_lazy = self.random.below(8) == 0;
        let mut budget = if is_lazy { self.random.below(4) } else { u64::MAX };
        self.look_ns = u64::MAX;
        loop {
            let Some(flow) = &mut self.flow else { return Ok(()) };
            if budget == 0 && flow.is_ready() {
                self.look_ns = now_ns + 1 + self.random.any_size(20);
                return Ok(());
            }
            let Some(message) = flow.take() else { return Ok(()) };
            let from = flow.peer();
            budget -= 1;
            self.check(from, &message)?;
            if let Some(flow) = &mut self.flow {
                flow.give_back(message);
            }
        }
    }

    fn push(&mut self, now_ns: u64) {
        let Some(flow) = &mut self.flow else { return };
        if self.push_ns > now_ns {
            return;
        }
        let burst = (1 + self.random.below(BURST)).min(self.left);
        for _ in 0..burst {
            if !flow.has_room() {
                break;
            }
            let mut packet = flow.buffer();
            fill(self.incarnation, self.next, &mut packet);
            flow.push(packet);
            self.next += 1;
            self.pushed += 1;
            self.left -= 1;
        }
        self.push_ns = now_ns + 1 + self.random.below(2 * self.pause_ns + 1);
    }

    pub(super) fn transmit(&mut self, now_ns: u64, room: &mut [u8]) -> Option<(Path, usize)> {
        self.flow.as_mut()?.transmit(now_ns, room)
    }

    /// When the process runs again, if nothing comes before.
    pub(super) fn schedule(&mut self, now_ns: u64) -> Result<(), String> {
        let Some(flow) = &mut self.flow else { return Ok(()) };
        let flow_ns = if flow.failure().is_some() { now_ns + 1 } else { flow.deadline_ns().unwrap_or(u64::MAX) };
        if flow_ns <= now_ns {
            return Err("has nothing to send, and says that it has".into());
        }
        // Sent ones and empty buffers, and the same for those that have come.
        let held_max = 4 * self.settings.window as usize + 4;
        if flow.held() > held_max {
            return Err(format!("holds {} packets", flow.held()));
        }
        let push_ns = if self.left > 0 { self.push_ns } else { u64::MAX };
        self.wake_ns = flow_ns.min(push_ns).min(self.look_ns);
        Ok(())
    }

    /// All that was sent on this flow has been taken by the other process, if it is still the one that it was sent to.
    pub(super) fn check_against(&self, other: &End) -> Result<(), String> {
        let (Some(mine), Some(theirs)) = (&self.flow, &other.flow) else { return Err("a process is down".into()) };
        if self.next == 0 || mine.peer() != Some(other.incarnation) {
            return Ok(());
        }
        if theirs.peer() != Some(self.incarnation) || other.expected != self.next {
            let (me, sent, taken) = (self.me, self.next, other.expected);
            return Err(format!("process {me} has sent {sent} messages, the other has taken {taken} of {:?}", theirs.peer()));
        }
        Ok(())
    }
}

/// Length and contents follow from who sends it and its number.
fn fill(from: u32, number: u64, message: &mut Vec<u8>) {
    let mut random = Random::new(u64::from(from) << 32 | number);
    let seed = random.next_u64();
    let most = if seed.is_multiple_of(16) { MESSAGE_MAX } else { 64 };
    let length = 8 + (seed >> 8) as usize % (most - 7);
    message.clear();
    message.extend_from_slice(&number.to_le_bytes());
    message.resize(length, seed as u8);
}

fn message_of(from: u32, number: u64) -> Vec<u8> {
    let mut message = Vec::new();
    fill(from, number, &mut message);
    message
}
