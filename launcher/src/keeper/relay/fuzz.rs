//! What drives the relay for the fuzz target `relay`: built with `--cfg fuzzing` only.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::rc::Rc;

use hpvm_wire::{Bell, Board, Place};
use rustix::pipe::{PipeFlags, pipe_with};

use super::call::Call;
use super::node::Stage;
use super::{Relay, RelaySetup};
use crate::keeper::RankEnds;
use crate::link::{Link, Message};
use crate::node::channel::Channel;
use crate::node::machines::file;
use crate::options::Patience;
use crate::plan::{Plan, RankPlan};

const NODES: usize = 2;
const RANKS: u32 = 3;

/// Pieces of what the nodes say, by their number. Only news of ranks that there are reaches `hpvmrun`, and no node starts before all are ready.
pub fn run<'p>(said: impl Iterator<Item = (usize, &'p [u8])>) {
    let plan = plan();
    let (ends, _read): (Vec<_>, Vec<_>) = (0..RANKS).map(|_| ends()).unzip();
    let board = Board::map(Board::create(RANKS).expect("a board"), RANKS).expect("a board of that size");
    let setup = RelaySetup { board, bell: Bell::new().expect("a bell"), patience: Patience { start: None, silence: None } };
    let mut relay = Relay::new(&plan, setup, ends);
    let nodes: Vec<[OwnedFd; 2]> = relay.nodes.iter_mut().map(|node| {
        let (from, theirs) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("a pipe");
        let (their_input, to) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK).expect("a pipe");
        node.stage = Stage::Called;
        node.answer_for(Call::over(Channel::to_node(from, to).expect("a channel over pipes")));
        [theirs, their_input]
    }).collect();
    let (mut link, mut launcher) = Link::pair().expect("a pair of sockets");
    for (node, bytes) in said {
        let node = node % NODES;
        // A pipe takes as much. Nobody reads that of a node that was hung up.
        if !relay.nodes[node].stage.is_over() {
            let _ = rustix::io::write(&nodes[node][0], bytes);
        }
        for index in 0..NODES {
            relay.hear(index, &mut link);
            if relay.nodes[index].is_lost() {
                relay.nodes[index].hang_up(Stage::Lost);
            }
        }
        let ready = relay.nodes.iter().filter(|node| matches!(node.stage, Stage::Ready { .. } | Stage::Running | Stage::Done)).count();
        relay.introduce();
        let running = relay.nodes.iter().filter(|node| matches!(node.stage, Stage::Running)).count();
        assert!(running == 0 || ready == NODES || relay.nodes.iter().any(|node| node.stage.is_over()), "one runs before the others are ready");
        relay.streams.write();
        relay.acknowledge();
        relay.pass_input();
        for message in launcher.receive() {
            match message {
                Message::Started { rank, .. } | Message::NotStarted { rank, .. } | Message::Ended { rank, .. } | Message::Vanished { rank } => assert!(rank < RANKS),
                Message::Reached { machines } => assert!(machines as usize <= NODES),
                other => panic!("{other:?} is not a node's to say"),
            }
        }
    }
}

/// A rank on the first machine, two on the second.
fn plan() -> Plan {
    let text = "[[machine]]\nname = \"n[0-1]\"\n";
    let machines = file::parse(text, Path::new(""), &[]).expect("a machine file").machines;
    let rank = |rank: u32| {
        let node = rank.min(1);
        let place = Place { rank, size: RANKS, local_rank: rank - node, local_size: 1 + node, node, appnum: 0, universe_size: RANKS };
        RankPlan { place, part: 0, cores: None, cpus: Vec::new() }
    };
    Plan { host: "here".into(), machines, ranks: (0..RANKS).map(rank).collect(), ..Plan::default() }
}

/// A rank's ends, and the other ends of them.
fn ends() -> (RankEnds, [OwnedFd; 3]) {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let ((stdin, input), (out, stdout), (err, stderr)) = (pipe(), pipe(), pipe());
    (RankEnds { stdin: Rc::new(stdin), stdout, stderr }, [input, out, err])
}
