//! Between `hpvmrun`, its keepers and `hpvmd`.

use std::ffi::CString;

use hpvm_launcher::exit::End;
use hpvm_launcher::link::{Link, Message};
use hpvm_launcher::node::channel::Channel;
use hpvm_launcher::node::frame::{Decoded, Frame};
use hpvm_launcher::node::greeting::Offer;
use hpvm_launcher::node::job::NodeJob;
use hpvm_launcher::options::BindTo;
use hpvm_launcher::plan::PartPlan;
use hpvm_wire::startup::Place;
use hpvm_wire::status::Snapshot;
use rustix::pipe::{PipeFlags, pipe_with};

use super::input::Input;

/// What is a frame is written as it was read, but for text that is none; and of every frame there is no other reading when it comes in parts.
pub fn frames(data: &[u8]) {
    let mut left = data;
    while let Decoded::Frame(frame, length) = Frame::decode(left) {
        assert!(length >= 8 && length <= left.len());
        assert_eq!(Frame::decode(&left[..length - 1]), Decoded::Incomplete);
        let mut again = Vec::new();
        frame.encode(&mut again);
        assert_eq!(Frame::decode(&again), Decoded::Frame(frame.clone(), again.len()));
        match frame {
            Frame::Job(bytes) => job(&bytes),
            Frame::Network(bytes) => drop(str::from_utf8(&bytes).ok().and_then(hpvm_wire::Network::parse)),
            _ => (),
        }
        left = &left[length..];
    }
}

fn job(bytes: &[u8]) {
    let Some(job) = NodeJob::decode(bytes) else { return };
    assert!(job.ranks.iter().all(|(place, part)| place.rank < place.size && *part < job.parts.len()), "{job:?}");
    assert_eq!(job.ranks.len(), job.cpus.len());
    // Names that are no text are read as something else.
    if job.parts.iter().all(|part| !part.name.contains('\u{fffd}')) {
        assert_eq!(NodeJob::decode(&job.encode()).as_ref(), Some(&job));
    }
}

fn all() -> Vec<Frame> {
    let strings = |list: &[&str]| list.iter().map(|text| CString::new(*text).expect("no zero")).collect::<Vec<_>>();
    let part = PartPlan {
        name: "a".into(),
        file: "/a".into(),
        path: c"/a".into(),
        arguments: strings(&["a", "-x"]),
        environment: strings(&["A=1"]),
        work_dir: Some(c"/tmp".into()),
    };
    let place = Place { rank: 1, size: 2, local_rank: 0, local_size: 1, node: 1, appnum: 0, universe_size: 2 };
    let job = NodeJob { bind_to: BindTo::Core, parts: vec![part], ranks: vec![(place, 0)], cpus: vec![vec![3]] }.encode();
    vec![
        Frame::Hello { protocol: 4, silence: 10_000 },
        Frame::Job(job),
        Frame::Network(format!("key {}\nshared-memory yes\n0 192.0.2.1:40123\n", "6c".repeat(32)).into()),
        Frame::Ready { connection: "192.0.2.1 50000 192.0.2.2 22".into(), ports: vec![1, 65535] },
        Frame::Order(Message::Signal { number: 15 }),
        Frame::Report(Message::Ended { rank: 1, end: End::Signal { number: 6, core: true } }),
        Frame::Report(Message::NotStarted { rank: 0, step: 2, errno: 2 }),
        Frame::Output { rank: 0, stream: 1, bytes: b"output".to_vec() },
        Frame::Line { rank: 1, line: Snapshot::from_words(std::array::from_fn(|at| at as u32)) },
        Frame::Stdin(b"input".to_vec()),
        Frame::Taken(5),
        Frame::Shown(6),
        Frame::Beat,
        Frame::Refused("no memory".into()),
    ]
}

pub fn frames_seeds() -> Vec<Vec<u8>> {
    let encoded = |frame: &Frame| {
        let mut bytes = Vec::new();
        frame.encode(&mut bytes);
        bytes
    };
    let each: Vec<Vec<u8>> = all().iter().map(encoded).collect();
    let together = each.concat();
    each.into_iter().chain([together]).collect()
}

/// What a node, or something in its place, says to `hpvmrun`, in pieces as they come.
pub fn channel(data: &[u8]) {
    let mut input = Input(data);
    let cuts = [input.u8(), input.u8()].map(usize::from);
    let (from, theirs) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let (_theirs, to) = pipe_with(PipeFlags::CLOEXEC).expect("a pipe");
    let mut channel = Channel::to_node(from, to).expect("a channel over pipes");
    let mut frames = Vec::new();
    for piece in [input.bytes(cuts[0]), input.bytes(cuts[1]), input.bytes(60_000)] {
        let written = rustix::io::write(&theirs, piece).expect("an empty pipe takes as much");
        assert_eq!(written, piece.len());
        frames.extend(channel.receive());
    }
    assert!(!frames.contains(&Frame::Beat));
    assert!(frames.is_empty() || channel.protocol().is_ok(), "frames before a greeting");
    if channel.nonsense().is_some() {
        assert!(channel.is_closed());
    }
    let _ = channel.protocol();
    drop(theirs);
    let _ = channel.receive();
    assert!(channel.is_closed());
}

pub fn channel_seeds() -> Vec<Vec<u8>> {
    let greeting = Offer::own().greeting();
    let other = greeting.replace("protocols 4 to 4", "protocols 3 to 9");
    let frames = frames_seeds().concat();
    let stream = |greeting: &str| [&[20, 50], greeting.as_bytes(), &frames].concat();
    vec![stream(&format!("Welcome!\n{greeting}")), stream(&other), stream("sh: hpvmd: not found\n")]
}

/// What is no message is passed over, and those after it are understood.
pub fn link(data: &[u8]) {
    let (from, mut to) = Link::pair().expect("a pair of sockets");
    let whole = &data[..(data.len() / 16 * 16).min(16 << 10)];
    let written = rustix::io::write(&from, whole).expect("an empty socket takes as much");
    assert_eq!(written, whole.len());
    let messages = to.receive();
    assert!(messages.len() <= whole.len() / 16);
    drop(from);
    assert!(to.receive().is_empty() && to.is_closed());
    // What was understood is sent as it was, up to bytes that say nothing.
    let (mut from, mut to) = Link::pair().expect("a pair of sockets");
    messages.iter().for_each(|message| from.send(*message));
    assert_eq!(to.receive(), messages);
}

pub fn link_seeds() -> Vec<Vec<u8>> {
    let record = |words: [u32; 4]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    let each: Vec<Vec<u8>> = (1..=11).map(|kind| record([kind, 1, 2, 9])).collect();
    let together = each.concat();
    each.into_iter().chain([together]).collect()
}
