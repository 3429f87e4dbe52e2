//! Between a caller and `hpvmd --system`: the handshake, and the records of frames that follow it.

use std::os::fd::OwnedFd;
use std::sync::LazyLock;

use hpvm_launcher::node::channel::Channel;
use hpvm_launcher::node::frame::{Decoded, Frame};
use hpvm_launcher::node::greeting::Offer;
use hpvm_launcher::node::noise::handshake::{Caller, Heard, Host, Wish};
use hpvm_launcher::node::noise::keys::KeyPair;
use hpvm_launcher::node::noise::sealed::{Sealed, Session};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::frames;
use super::input::Input;

/// The caller's, and the daemon's.
static KEYS: LazyLock<[KeyPair; 2]> = LazyLock::new(|| [1, 2].map(|number| KeyPair::of([number; 32]).expect("a key")));

/// What is handed to a socket in one run: it takes so much without a reader.
const SAID_MAX: usize = 60_000;

/// The first byte says who hears what is no handshake, or that there is one, in which the input changes single bytes. Without the keys nobody is let in or
/// believed, and where nothing was changed both sides end with the same keys.
pub fn run(data: &[u8]) {
    let mut input = Input(data);
    match input.u8() % 4 {
        0 => strange_caller(&mut input),
        1 => strange_daemon(&mut input),
        _ => conversation(&mut input),
    }
}

fn strange_caller(input: &mut Input) {
    let [_, daemon] = &*KEYS;
    let (mut host, mut raw) = (Host::default(), Vec::new());
    while !input.is_empty() {
        let length = usize::from(input.u8());
        raw.extend_from_slice(input.bytes(length));
        match host.hear(daemon, &mut raw) {
            Ok(Heard::Nothing) => (),
            Ok(Heard::Farewell(_)) | Err(_) => return,
            Ok(other) => panic!("{other:?}"),
        }
    }
}

/// Over a channel, as the relay has it.
fn strange_daemon(input: &mut Input) {
    let [own, daemon] = &*KEYS;
    let (caller, first) = Caller::new(own, daemon.public, Wish { user: "ann".into() }).expect("a caller");
    let (ours, theirs) = sockets();
    let mut channel = Channel::to_service(ours, caller, &first).expect("a channel over a socket");
    while !input.is_empty() {
        let length = usize::from(input.u16());
        write(&theirs, input.bytes(length));
        assert_eq!(channel.receive(), []);
    }
    assert!(channel.protocol().is_err());
}

fn conversation(input: &mut Input) {
    let [own, daemon] = &*KEYS;
    let user = String::from_utf8_lossy(input.until(0)).into_owned();
    let (mut caller, mut first) = Caller::new(own, daemon.public, Wish { user: user.clone() }).expect("a caller");
    let mut host = Host::default();

    let changed = tamper(input, &mut first);
    let mut answer = match host.hear(daemon, &mut first) {
        Ok(Heard::Answer(answer)) if changed.is_none() => answer,
        Ok(Heard::Nothing | Heard::Farewell(_)) | Err(_) if changed.is_some() => return,
        other => panic!("changed at {changed:?}: {other:?}"),
    };
    // How new the daemon is counts only where there is no version that both speak.
    let changed = tamper(input, &mut answer).filter(|at| *at != 5);
    let (mut last, ours) = match caller.hear(&mut answer) {
        Ok(Some(parts)) if changed.is_none() => parts,
        // A name that no message holds, too.
        Ok(None) | Err(_) if changed.is_some() || user.len() > 400 => return,
        other => panic!("changed at {changed:?}: {other:?}"),
    };
    // The version has been agreed on.
    let changed = tamper(input, &mut last).filter(|at| ![4, 5].contains(at));
    let is_name = (1..=64).contains(&user.len()) && user.bytes().all(|letter| letter.is_ascii_alphanumeric());
    match host.hear(daemon, &mut last) {
        Ok(Heard::Known { key, wish, session }) if changed.is_none() => {
            assert_eq!((key, &wish.user), (own.public, &user));
            assert!(!user.contains(['/', '\0', '\n', ' ']) && !user.starts_with('-'), "{user:?}");
            assert_eq!(session, Session { sending: ours.receiving, receiving: ours.sending });
            records(input, &ours, &session);
        }
        Ok(Heard::Nothing) | Err(_) if changed.is_some() || !is_name => (),
        other => panic!("changed at {changed:?}: {other:?}"),
    }
}

/// What the caller says in records, whole, changed or made up. All of it arrives up to what is forged, and nothing after that.
fn records(input: &mut Input, callers: &Session, daemons: &Session) {
    let (ours, theirs) = sockets();
    let mut channel = Channel::to_caller(ours, daemons).expect("a channel over a socket");
    let mut sealed = Sealed::new(callers);
    let (mut said, mut found, mut forged, mut written) = (Vec::new(), Vec::new(), false, 0);
    while !input.is_empty() && written < SAID_MAX {
        let (step, length) = (input.u8(), usize::from(input.u16()) % 4096);
        let piece = input.bytes(length);
        let mut record = Vec::new();
        match step {
            0 => record.extend_from_slice(piece),
            _ => sealed.seal(piece, &mut record),
        }
        let changed = step == 1 && tamper(input, &mut record).is_some();
        forged |= changed || (step == 0 && !piece.is_empty());
        if !forged {
            said.extend_from_slice(piece);
        }
        // In two parts.
        let (one, other) = record.split_at(record.len().min(usize::from(step)));
        for part in [one, other] {
            write(&theirs, part);
            found.extend(channel.receive());
        }
        written += record.len();
    }
    let (mut expected, mut left) = (Vec::new(), &said[..]);
    let ended = loop {
        match Frame::decode(left) {
            Decoded::Frame(frame, length) => {
                expected.extend((frame != Frame::Beat).then_some(frame));
                left = &left[length..];
            }
            ended => break ended,
        }
    };
    assert_eq!(found, expected);
    assert_eq!(channel.nonsense().is_some() && !forged, ended == Decoded::Nonsense && !forged);
}

/// Changes a byte, if the input says which and how.
fn tamper(input: &mut Input, message: &mut [u8]) -> Option<usize> {
    let (at, change) = (usize::from(input.u8()), input.u8());
    *message.get_mut(at).filter(|_| change != 0)? ^= change;
    Some(at)
}

fn sockets() -> (OwnedFd, OwnedFd) {
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None).expect("a pair of sockets")
}

/// The other side may have hung up.
fn write(to: &OwnedFd, bytes: &[u8]) {
    if let Ok(written) = rustix::io::write(to, bytes) {
        assert_eq!(written, bytes.len());
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let unchanged = [0xff, 0];
    let agreed = [&[2], &b"ann\0"[..], &unchanged, &unchanged, &unchanged].concat();
    let frames = frames::frames_seeds().pop().expect("all frames");
    let piece = |step: u8, bytes: &[u8]| [&[step][..], &(bytes.len() as u16).to_le_bytes(), bytes].concat();
    let greeting = Offer::own().greeting();
    vec![
        [&[0, 12], &b"HPVM\x01\x01\x04\0abcd"[..]].concat(),
        [&[0, 8], &b"HPVM\x07\x09\x30\0"[..]].concat(),
        [&[1, 12, 0], &b"HPVM\x01\x01\x04\0abcd"[..]].concat(),
        [&[1, 8, 0], &b"HPVM\0\x05\0\0"[..]].concat(),
        [&[1], &(greeting.len() as u16).to_le_bytes()[..], greeting.as_bytes()].concat(),
        [&agreed[..], &piece(40, &frames)].concat(),
        [&agreed[..], &piece(2, &frames[..30]), &piece(7, &frames[30..]), &piece(0, b"\x14\0forged and nothing else")].concat(),
        [&agreed[..], &piece(1, &frames[..30]), &[9, 1]].concat(),
        [&[2], &b"-ann\0"[..], &unchanged, &unchanged, &unchanged].concat(),
        [&[2], &b"ann\0"[..], &[5, 3]].concat(),
        [&[2], &b"ann\0"[..], &unchanged, &[4, 3]].concat(),
        [&[2], &b"ann@x\0"[..], &unchanged, &unchanged, &[20, 1]].concat(),
    ]
}
