//! One end of the stream of frames between `hpvmrun`'s machine and a node. Nothing blocks: what does not fit waits here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::frame::{Decoded, Frame};
use super::greeting::{self, Offer};
use super::noise::Wire;
use super::noise::handshake::Caller;
use super::noise::sealed::{Sealed, Session};
use super::pulse::{Look, Pulse};

/// So much may a login shell print before the node greets.
const PRINTED_MAX: usize = 256 << 10;

/// What has left is forgotten when it is so much, or all.
const FORGET: usize = 1 << 20;

#[derive(Debug)]
pub struct Channel {
    from: OwnedFd,
    to: OwnedFd,
    wire: Wire,
    /// What has come and could not be opened yet.
    raw: Vec<u8>,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// How much of `outgoing` has left.
    sent: usize,
    closed: bool,
    /// The protocol that is spoken: on `hpvmrun`'s side from the greeting on.
    protocol: Option<u32>,
    pulse: Pulse,
    silent: bool,
    /// Frames that came with one that was waited for.
    put_back: Vec<Frame>,
    /// What came that is no frame.
    nonsense: Option<String>,
    /// What the system said when it closed.
    fault: Option<Errno>,
}

impl Channel {
    /// `hpvmrun`'s end: a greeting is awaited.
    pub fn to_node(from: OwnedFd, to: OwnedFd) -> io::Result<Self> {
        Self::new(from, to, Wire::Plain, None)
    }

    /// The same over a socket, with no ssh in between; `first` is the caller's first message.
    pub fn to_service(socket: OwnedFd, caller: Caller, first: &[u8]) -> io::Result<Self> {
        let mut channel = Self::new(socket.try_clone()?, socket, Wire::Calling(Box::new(caller)), None)?;
        channel.outgoing.extend_from_slice(first);
        channel.flush();
        Ok(channel)
    }

    /// The node's end: it greets.
    pub fn to_launcher(from: OwnedFd, to: OwnedFd) -> io::Result<Self> {
        Self::greeting(from, to, Wire::Plain)
    }

    /// The same over a socket, after the handshake.
    pub fn to_caller(socket: OwnedFd, session: &Session) -> io::Result<Self> {
        Self::greeting(socket.try_clone()?, socket, Wire::Sealed(Box::new(Sealed::new(session))))
    }

    /// Says why there is nothing for a caller: in one piece with the greeting, so that it is read before the end of the connection is noticed.
    pub fn refuse(socket: OwnedFd, session: &Session, why: String) -> io::Result<()> {
        let (mut said, mut bytes) = (Offer::own().greeting().into_bytes(), Vec::new());
        Frame::Refused(why).encode(&mut said);
        Sealed::new(session).seal(&said, &mut bytes);
        // Less than any socket holds.
        rustix::io::write(&socket, &bytes)?;
        Ok(())
    }

    fn greeting(from: OwnedFd, to: OwnedFd, wire: Wire) -> io::Result<Self> {
        let mut channel = Self::new(from, to, wire, Some(greeting::NEWEST))?;
        channel.wire.wrap(Offer::own().greeting().as_bytes(), &mut channel.outgoing);
        channel.flush();
        Ok(channel)
    }

    fn new(from: OwnedFd, to: OwnedFd, wire: Wire, protocol: Option<u32>) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&from, true)?;
        rustix::io::ioctl_fionbio(&to, true)?;
        Ok(Self {
            from,
            to,
            wire,
            raw: Vec::new(),
            incoming: Vec::new(),
            outgoing: Vec::new(),
            sent: 0,
            closed: false,
            protocol,
            pulse: Pulse::new(None, Instant::now()),
            silent: false,
            put_back: Vec::new(),
            nonsense: None,
            fault: None,
        })
    }

    /// From now on the other side is gone when nothing is heard of it for so long, and hears of this one often enough.
    pub fn listen(&mut self, silence: Option<Duration>) {
        self.pulse = Pulse::new(silence, Instant::now());
    }

    /// To be called at [`Self::next_look`], after [`Self::receive`].
    pub fn look(&mut self, now: Instant) {
        match self.pulse.look(now) {
            // What waits to leave will be heard.
            Look::Beat if self.backlog() > 0 => self.pulse.said(now),
            Look::Beat => self.send(&Frame::Beat),
            Look::Silent => {
                self.silent = true;
                self.closed = true;
            }
            Look::Nothing => (),
        }
    }

    pub fn next_look(&self) -> Option<Instant> {
        self.pulse.next()
    }

    /// The silence that closed it.
    pub fn silence(&self) -> Option<Duration> {
        self.pulse.limit().filter(|_| self.silent)
    }

    pub fn send(&mut self, frame: &Frame) {
        match &mut self.wire {
            Wire::Plain => frame.encode(&mut self.outgoing),
            wire => {
                let mut bytes = Vec::new();
                frame.encode(&mut bytes);
                wire.wrap(&bytes, &mut self.outgoing);
            }
        }
        self.pulse.said(Instant::now());
        self.flush();
    }

    pub fn flush(&mut self) {
        while self.sent < self.outgoing.len() && !self.closed {
            match rustix::io::write(&self.to, &self.outgoing[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => break,
                Err(errno) => {
                    self.fault.get_or_insert(errno);
                    self.closed = true;
                }
            }
        }
        if self.sent > FORGET || self.sent == self.outgoing.len() {
            self.outgoing.drain(..self.sent);
            self.sent = 0;
        }
    }

    /// Bytes that wait to leave.
    pub fn backlog(&self) -> usize {
        if self.closed { 0 } else { self.outgoing.len() - self.sent }
    }

    /// What has arrived.
    pub fn receive(&mut self) -> Vec<Frame> {
        let mut bytes = [0; 64 << 10];
        let mut ended = self.closed;
        // A little at a time: others want to be heard, too.
        for _ in 0..16 {
            match rustix::io::read(&self.from, &mut bytes) {
                Ok(0) => ended = true,
                Ok(count) => {
                    match self.wire {
                        Wire::Plain => self.incoming.extend_from_slice(&bytes[..count]),
                        _ => self.raw.extend_from_slice(&bytes[..count]),
                    }
                    self.pulse.heard(Instant::now());
                }
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                Err(errno) => {
                    self.fault.get_or_insert(errno);
                    ended = true;
                }
            }
            if ended {
                break;
            }
        }
        if !self.raw.is_empty() && self.nonsense.is_none() {
            let taken = self.wire.take(&mut self.raw, &mut self.incoming, &mut self.outgoing);
            self.nonsense = taken.err();
            self.flush();
        }
        let mut frames = std::mem::take(&mut self.put_back);
        let mut taken = 0;
        if self.protocol.is_none() && self.nonsense.is_none() {
            taken = self.skip_to_greeting();
        }
        while self.protocol.is_some() && self.nonsense.is_none() {
            match Frame::decode(&self.incoming[taken..]) {
                Decoded::Frame(frame, length) => {
                    frames.extend((frame != Frame::Beat).then_some(frame));
                    taken += length;
                }
                Decoded::Incomplete => break,
                Decoded::Nonsense => self.nonsense = Some("what it sends is no frame".into()),
            }
        }
        self.incoming.drain(..taken);
        self.closed |= ended || self.nonsense.is_some();
        frames
    }

    /// How many bytes are through with.
    fn skip_to_greeting(&mut self) -> usize {
        let text = &self.incoming;
        let start = greeting::START.as_bytes();
        let at = text.windows(start.len()).position(|window| window == start);
        let Some((at, length)) = at.and_then(|at| Some((at, text[at..].iter().position(|byte| *byte == b'\n')?))) else {
            if text.len() > PRINTED_MAX {
                let printed = String::from_utf8_lossy(&text[..64]).into_owned();
                self.nonsense = Some(format!("what answers there prints and prints, and does not greet as an hpvmd: {printed:?} …"));
            }
            return 0;
        };
        match Offer::own().agree(&String::from_utf8_lossy(&text[at..=at + length])) {
            Ok(protocol) => self.protocol = Some(protocol),
            Err(why) => self.nonsense = Some(why),
        }
        at + length + 1
    }

    /// The other side is gone, or not to be understood; all it sent has been received.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Why it is closed, if not because the other side is gone.
    pub fn nonsense(&self) -> Option<&str> {
        self.nonsense.as_deref()
    }

    /// What the system said when it closed, if not simply that the other side has closed it.
    pub fn fault(&self) -> Option<io::Error> {
        self.fault.map(io::Error::from)
    }

    /// Who speaks with whom, in the words of ssh's `SSH_CONNECTION`: address and port there, address and port here. For a socket of the network.
    pub fn connection(&self) -> Option<String> {
        let shown = |address: rustix::net::SocketAddrAny| {
            let address = std::net::SocketAddr::try_from(address).ok()?;
            Some(format!("{} {}", address.ip().to_canonical(), address.port()))
        };
        let (theirs, ours) = (rustix::net::getpeername(&self.from).ok()??, rustix::net::getsockname(&self.from).ok()?);
        Some(format!("{} {}", shown(theirs)?, shown(ours)?))
    }

    /// The protocol that is spoken, once the node has greeted; until then, what it said instead.
    pub fn protocol(&self) -> Result<u32, String> {
        self.protocol.ok_or_else(|| String::from_utf8_lossy(&self.incoming).trim().to_owned())
    }

    /// What to poll for.
    pub fn interests(&self) -> impl Iterator<Item = PollFd<'_>> {
        let reading = (!self.closed).then(|| PollFd::new(&self.from, PollFlags::IN));
        reading.into_iter().chain(self.writing_interests())
    }

    pub fn writing_interests(&self) -> impl Iterator<Item = PollFd<'_>> + use<'_> {
        (self.backlog() > 0).then(|| PollFd::new(&self.to, PollFlags::OUT)).into_iter()
    }

    /// Waits for the next frame; `None` when there is none to come.
    pub fn wait(&mut self) -> Option<Frame> {
        loop {
            let mut frames = self.receive().into_iter();
            if let Some(first) = frames.next() {
                self.put_back = frames.collect();
                return Some(first);
            }
            self.look(Instant::now());
            if self.closed {
                return None;
            }
            self.sleep();
        }
    }

    /// Waits until everything has left.
    pub fn drain(&mut self) {
        while self.backlog() > 0 {
            self.sleep();
            self.put_back = self.receive();
            self.look(Instant::now());
        }
    }

    fn sleep(&mut self) {
        let mut polled: Vec<_> = self.interests().collect();
        let left = self.next_look().map(|at| at.saturating_duration_since(Instant::now()));
        let _ = poll(&mut polled, left.and_then(|left| Timespec::try_from(left).ok()).as_ref());
        self.flush();
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.from.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    fn pair() -> (Channel, OwnedFd, OwnedFd) {
        let (from, theirs_to) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        let (theirs_from, to) = pipe_with(PipeFlags::CLOEXEC).unwrap();
        (Channel::to_node(from, to).unwrap(), theirs_from, theirs_to)
    }

    #[test]
    fn what_a_shell_prints_before_is_skipped() {
        let (mut ours, from, to) = pair();
        rustix::io::write(&to, b"Welcome to node 7!\n\x1b[0m").unwrap();
        assert!(ours.receive().is_empty() && ours.protocol().is_err());
        let mut node = Channel::to_launcher(from, to).unwrap();
        node.send(&Frame::Taken(3));
        assert_eq!(ours.wait(), Some(Frame::Taken(3)));
        let much = Frame::Stdin(vec![1; 3 * FORGET]);
        ours.send(&much);
        assert!(ours.backlog() > 0);
        let mut frame = None;
        while frame.is_none() {
            ours.flush();
            frame = node.receive().pop();
        }
        assert_eq!(frame, Some(much));
        drop(node);
        assert_eq!(ours.wait(), None);
        assert!(ours.nonsense().is_none());
    }

    #[test]
    fn silence_is_an_end_and_beats_are_none() {
        let (mut ours, from, to) = pair();
        let mut node = Channel::to_launcher(from, to).unwrap();
        ours.listen(Some(Duration::from_millis(400)));
        node.listen(Some(Duration::from_millis(400)));
        let end = Instant::now() + Duration::from_secs(1);
        while Instant::now() < end {
            for side in [&mut ours, &mut node] {
                assert_eq!(side.receive(), []);
                side.look(Instant::now());
                assert!(!side.is_closed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        // The node is there, and says no more.
        assert_eq!(ours.wait(), None);
        assert_eq!(ours.silence(), Some(Duration::from_millis(400)));
    }

    #[test]
    fn another_version_is_named() {
        let (mut ours, _from, to) = pair();
        rustix::io::write(&to, b"HPVM node, start-up protocol 1, version 0.0.1\n").unwrap();
        assert_eq!(ours.wait(), None);
        assert!(ours.nonsense().unwrap().contains("version 0.0.1"));
    }

    #[test]
    fn a_shell_that_prints_without_end_is_not_listened_to_for_ever() {
        let (mut ours, _from, to) = pair();
        let (text, mut written) = (b"y\n".repeat(8 << 10), 0);
        while ours.nonsense().is_none() {
            assert!(written < 2 * PRINTED_MAX && ours.receive().is_empty());
            written += rustix::io::write(&to, &text).unwrap();
        }
        assert!(ours.is_closed() && ours.nonsense().unwrap().contains("does not greet as an hpvmd: \"y\\ny"), "{:?}", ours.nonsense());
    }

    #[test]
    fn what_is_no_node_is_quoted() {
        let (mut ours, _from, to) = pair();
        rustix::io::write(&to, b"sh: hpvmd: not found\n").unwrap();
        drop(to);
        assert_eq!(ours.wait(), None);
        assert_eq!(ours.protocol().unwrap_err(), "sh: hpvmd: not found");
    }
}
