//! The relay: stands where the inner keeper does when ranks are on other machines.
//!
//! It speaks with an `hpvmd` on each of them, and makes what they say look as if it came from ranks below an inner keeper: their output goes
//! into the pipes that `hpvmrun` reads, their status lines onto its board, their ends over its link. When a neighbour dies it leaves, the
//! channels end, and each `hpvmd` ends what is on its machine.
//!
//! [`call`] is the ssh to a machine, and [`cause`] reads why it led nowhere. All machines are called from here, some at a time: see
//! `docs/decisions/0012-flat-start.md`.

pub mod call;
pub mod cause;
#[cfg(fuzzing)]
pub mod fuzz;
mod node;
mod service;
mod streams;

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;
use std::time::Instant;

use hpvm_wire::network::{At, Way};
use hpvm_wire::{Bell, Board, Network};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Setup, leave, settle};
use crate::link::{Link, Message};
use crate::node::daemon::serve::now_ns;
use crate::node::frame::Frame;
use crate::node::route;
use crate::options::Patience;
use crate::plan::{Plan, RankPlan};
use crate::sys::{SignalFd, Step};
use crate::{network, reap};
use node::{Node, Stage};
use streams::Streams;

/// What only a relay needs of `hpvmrun`'s.
pub struct RelaySetup {
    pub board: Board,
    pub bell: Bell,
    pub patience: Patience,
}

/// So much of rank 0's input may be under way.
const INPUT_MAX: u32 = 256 << 10;

/// So many machines are being called at once.
const CALLS_MAX: usize = 32;

struct Relay<'a> {
    plan: &'a Plan,
    board: Board,
    bell: Bell,
    patience: Patience,
    nodes: Vec<Node<'a>>,
    /// How many of them have answered.
    answered: u32,
    streams: Streams,
    /// By rank: its process was made, and has ended.
    started: Vec<bool>,
    ended: Vec<bool>,
    /// What rank 0 is to read; `None` after its end.
    stdin: Option<Rc<OwnedFd>>,
    input_under_way: u32,
    finishing: bool,
    /// It was said that ssh is tried where a service is not reached.
    ssh_instead: bool,
}

pub fn run(setup: Setup, relay: RelaySetup, mut link: Link, mut tie: Link) -> ! {
    let children = settle(c"hpvm-relay").and_then(|()| SignalFd::new(&[libc::SIGCHLD]));
    let children = match children {
        Ok(children) => children,
        Err(error) => {
            eprintln!("hpvmrun: the relay could not start: {error}");
            std::process::exit(1)
        }
    };
    link.send(Message::Hello { pid: std::process::id() });
    let mut relay = Relay::new(setup.plan, relay, setup.ends);
    loop {
        relay.call();
        let ready = relay.wait(&link, &tie, &children);
        while children.next().is_some() {}
        link.flush();
        for command in link.receive() {
            relay.obey(command);
        }
        tie.receive();
        if link.is_closed() || tie.is_closed() {
            // The channels end with this process, or with ssh.
            reap::everything(&HashSet::new(), |_, _| ());
            std::process::exit(0);
        }
        let now = Instant::now();
        for (index, ready) in ready.into_iter().enumerate() {
            if ready {
                relay.hear(index, &mut link);
            }
            relay.nodes[index].look(now, relay.patience.start);
            if relay.nodes[index].is_lost() {
                relay.lose(index, &mut link);
            }
        }
        relay.introduce();
        relay.streams.write();
        relay.acknowledge();
        relay.pass_input();
        if relay.finishing && relay.nodes.iter().all(|node| node.stage.is_over()) && relay.streams.is_empty() {
            drop(relay);
            reap::everything(&HashSet::new(), |_, _| ());
            leave(link)
        }
    }
}

impl<'a> Relay<'a> {
    fn new(plan: &'a Plan, setup: RelaySetup, ends: Vec<super::RankEnds>) -> Self {
        let stdin = ends.first().map(|ends| Rc::clone(&ends.stdin));
        if let Some(stdin) = &stdin {
            let _ = rustix::io::ioctl_fionbio(stdin, true);
        }
        let nodes = plan.machines.iter().enumerate().map(|(index, machine)| Node::new(plan, index, machine));
        Self {
            plan,
            board: setup.board,
            bell: setup.bell,
            patience: setup.patience,
            nodes: nodes.collect(),
            answered: 0,
            streams: Streams::new(ends),
            started: vec![false; plan.ranks.len()],
            ended: vec![false; plan.ranks.len()],
            stdin,
            input_under_way: 0,
            finishing: false,
            ssh_instead: false,
        }
    }

    /// Not all machines at once: this one would be busy with all of them for longer than the first ones wait.
    fn call(&mut self) {
        let under_way = self.nodes.iter().filter(|node| node.is_being_called()).count();
        let waiting = self.nodes.iter_mut().filter(|node| matches!(node.stage, Stage::Waiting));
        waiting.take(CALLS_MAX.saturating_sub(under_way)).for_each(Node::call);
    }

    /// Which nodes have something to say, or could be sent more.
    fn wait(&self, link: &Link, tie: &Link, children: &SignalFd) -> Vec<bool> {
        let sending = if link.has_unsent() { PollFlags::OUT } else { PollFlags::empty() };
        let mut polled = vec![
            PollFd::new(link, PollFlags::IN | sending),
            PollFd::new(tie, PollFlags::IN),
            PollFd::new(children, PollFlags::IN),
        ];
        let others = polled.len();
        let mut of_node = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            polled.extend(node.interests());
            of_node.resize(polled.len() - others, index);
        }
        polled.extend(self.streams.interests());
        if let Some(stdin) = self.stdin.as_ref().filter(|_| self.may_take_input()) {
            polled.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN));
        }
        // One that could not be called has nothing to be polled for.
        let now = Instant::now();
        let lost = self.nodes.iter().any(Node::is_lost).then_some(now);
        let next = self.nodes.iter().filter_map(|node| node.next_look(self.patience.start)).chain(lost).min();
        let left = next.and_then(|next| Timespec::try_from(next.saturating_duration_since(now)).ok());
        // Interrupted or failed: everything is looked at in any case.
        let _ = poll(&mut polled, left.as_ref());
        let mut ready = vec![false; self.nodes.len()];
        for (index, polled) in of_node.into_iter().zip(&polled[others..]) {
            ready[index] |= !polled.revents().is_empty();
        }
        ready
    }

    fn obey(&mut self, command: Message) {
        match command {
            // Before its ranks run a node expects other things.
            Message::Signal { .. } | Message::Look => {
                let running = self.nodes.iter_mut().filter(|node| matches!(node.stage, Stage::Running));
                running.for_each(|node| node.send(&Frame::Order(command)));
            }
            Message::Finish => {
                self.finishing = true;
                self.nodes.iter_mut().for_each(Node::finish);
            }
            _ => (),
        }
    }

    /// What a node has to say.
    fn hear(&mut self, index: usize, link: &mut Link) {
        let frames = self.nodes[index].receive();
        if self.nodes[index].greet(self.plan, index, self.patience.silence) {
            self.answered += 1;
            link.send(Message::Reached { machines: self.answered });
        }
        for line in self.nodes[index].listen() {
            say(&format!("hpvmrun: {}: {line}\n", self.nodes[index].name()));
        }
        for frame in frames {
            match frame {
                Frame::Ready { connection, ports } => self.nodes[index].ready(connection, ports),
                Frame::Report(Message::Done) => self.nodes[index].stage = Stage::Done,
                Frame::Report(message) => self.report(message, link),
                Frame::Output { rank, stream, bytes } => self.streams.add(rank, stream, bytes),
                Frame::Line { rank, line } => {
                    if let Some(own) = self.board.get(rank as usize) {
                        own.show(&line.turn_clock(now_ns()));
                        self.bell.ring();
                    }
                }
                Frame::Taken(count) => self.input_under_way = self.input_under_way.saturating_sub(count),
                Frame::Refused(text) => self.nodes[index].refuses(text),
                Frame::Hello { .. } | Frame::Job(_) | Frame::Network(_) | Frame::Order(_) | Frame::Stdin(_) => (),
                Frame::Shown(_) | Frame::Beat => (),
            }
        }
    }

    fn report(&mut self, message: Message, link: &mut Link) {
        let mark = |list: &mut Vec<bool>, rank: u32| list.get_mut(rank as usize).is_some_and(|mark| {
            *mark = true;
            true
        });
        let known = match message {
            Message::Started { rank, .. } => mark(&mut self.started, rank),
            Message::NotStarted { rank, .. } | Message::Ended { rank, .. } => mark(&mut self.ended, rank),
            Message::Vanished { rank } => (rank as usize) < self.ended.len(),
            _ => false,
        };
        if known {
            link.send(message);
        }
    }

    /// A node is not there, or not any more: the job ends.
    fn lose(&mut self, index: usize, link: &mut Link) {
        if !self.finishing
            && let Some(why) = self.nodes[index].call_by_ssh()
        {
            // Of many machines that are alike one is enough to know.
            if !std::mem::replace(&mut self.ssh_instead, true) {
                say(&format!("hpvmrun: {} {why}; ssh is tried, for others too if need be\n", self.nodes[index].name()));
            }
            return;
        }
        let ranks: Vec<u32> = self.nodes[index].ranks.clone();
        if !self.finishing {
            say(&format!("hpvmrun: {}\n", self.nodes[index].obituary()));
        }
        self.nodes[index].hang_up(Stage::Lost);
        for rank in ranks {
            let at = rank as usize;
            self.streams.end(rank);
            if !std::mem::replace(&mut self.ended[at], true) {
                let step = if self.started[at] { Step::Lost } else { Step::Reach };
                link.send(Message::NotStarted { rank, step: step as u32, errno: 0 });
            }
        }
    }

    /// When all nodes are ready, each learns of the others, and the ranks start.
    fn introduce(&mut self) {
        if self.finishing || !self.nodes.iter().all(|node| matches!(node.stage, Stage::Ready { .. })) {
            return;
        }
        let key = match network::key() {
            Ok(key) => key,
            Err(error) => {
                eprintln!("hpvmrun: no key for the job can be made: {error}");
                std::process::exit(1)
            }
        };
        let mut networks: Vec<_> = (0..self.nodes.len()).map(|node| self.network(node, key)).collect();
        let cards = networks.iter().any(|network| route::need_cards(network.peers.iter().flat_map(|at| &at.ways)));
        networks.iter_mut().for_each(|network| network.cards = cards);
        let texts: Vec<_> = networks.iter().map(|network| network.to_text().into_bytes()).collect();
        for (node, text) in self.nodes.iter_mut().zip(texts) {
            node.send(&Frame::Network(text));
            node.stage = Stage::Running;
        }
    }

    /// What the ranks of a node have to know: where and how they reach each rank. What the machine file does not say: the address of a node is the one at
    /// which ssh reached it; this machine's is the one that another node sees.
    fn network(&self, from: usize, key: [u8; 32]) -> Network {
        let seen_by_others = self.nodes.iter().find_map(|node| node.connection_word(0));
        let own = seen_by_others.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let (machines, networks, devices) = (&self.plan.machines, &self.plan.networks, &self.plan.devices);
        let address = |from: usize, to: usize| {
            // To itself a machine may be another than to others.
            let said = if from == to { None } else { route::address(&machines[from], &machines[to], networks) };
            said.or_else(|| self.nodes[to].connection_word(2)).unwrap_or(own)
        };
        let mut here: Vec<Way> = Vec::new();
        let mut to_node = |to: usize| {
            let [ours, theirs] = match to == from {
                true => [route::inside(devices), route::inside(devices)],
                false => route::ways([&machines[from], &machines[to]], [address(to, from), address(from, to)], networks, devices),
            };
            // Loopback is no address that others know.
            here.extend(ours.into_iter().filter(|way| to != from && here.iter().all(|known| known.device != way.device)).collect::<Vec<_>>());
            (address(from, to), theirs)
        };
        let nodes: Vec<(IpAddr, Vec<Way>)> = (0..machines.len()).map(&mut to_node).collect();
        let at = |rank: &RankPlan| {
            let place = rank.place;
            let (address, ways) = &nodes[place.node as usize];
            let address = SocketAddr::new(*address, self.nodes[place.node as usize].port(place.local_rank as usize));
            At { node: place.node, address, ways: ways.clone() }
        };
        let peers = self.plan.ranks.iter().map(at).collect();
        let (encrypt, shared_memory, explain) = (self.plan.encrypt, devices.smp(), self.plan.explain);
        Network { key, encrypt, shared_memory, cards: false, explain, here, peers }
    }

    /// So that they send more.
    fn acknowledge(&mut self) {
        for node in self.nodes.iter_mut().filter(|node| matches!(node.stage, Stage::Running)) {
            let through = self.streams.take_through(&node.ranks);
            if through > 0 {
                node.send(&Frame::Shown(through));
            }
        }
    }

    fn may_take_input(&self) -> bool {
        self.input_under_way < INPUT_MAX && !self.finishing && self.nodes.iter().all(|node| matches!(node.stage, Stage::Running))
    }

    fn pass_input(&mut self) {
        let mut buffer = vec![0; 32 << 10];
        while self.may_take_input()
            && let Some(stdin) = &self.stdin
        {
            let bytes = match rustix::io::read(stdin, &mut buffer) {
                Ok(count) if count > 0 => buffer[..count].to_vec(),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => return,
                _ => {
                    self.stdin = None;
                    Vec::new()
                }
            };
            self.input_under_way += bytes.len() as u32;
            // Rank 0 is on the first node that has ranks at all.
            let first = self.plan.ranks[0].place.node as usize;
            self.nodes[first].send(&Frame::Stdin(bytes));
        }
    }
}

/// On stderr. A reader that does not read must not keep the relay from hearing the nodes: then it is not said.
fn say(text: &str) {
    let stderr = rustix::stdio::stderr();
    let mut polled = [PollFd::from_borrowed_fd(stderr, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    if poll(&mut polled, Some(&now)).is_ok_and(|ready| ready > 0) {
        // hpvmrun may be showing there how far it is.
        let start = if rustix::termios::isatty(stderr) { "\r\x1b[K" } else { "" };
        let _ = rustix::io::write(stderr, format!("{start}{text}").as_bytes());
    }
}
