//! One end of the stream of frames between `hpvmrun`'s machine and a node. Nothing blocks: what does not fit waits here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use super::frame::{Decoded, Frame};

/// What a node says first. What a login shell may have printed before is skipped; another version is recognised.
pub const GREETING: &str = "HPVM node, start-up protocol ";

/// The greeting of this version.
pub fn greeting() -> String {
    format!("{GREETING}{}, version {}\n", hpvm_wire::names::VERSION, env!("CARGO_PKG_VERSION"))
}

/// With more than this waiting to leave, nothing is taken in that would make it more.
pub const BACKLOG: usize = 1 << 20;

#[derive(Debug)]
pub struct Channel {
    from: OwnedFd,
    to: OwnedFd,
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
    /// How much of `outgoing` has left.
    sent: usize,
    closed: bool,
    greeted: bool,
    /// Frames that came with one that was waited for.
    put_back: Vec<Frame>,
    /// What came that is no frame.
    nonsense: Option<String>,
}

impl Channel {
    /// `hpvmrun`'s end: a greeting is awaited.
    pub fn to_node(from: OwnedFd, to: OwnedFd) -> io::Result<Self> {
        Self::new(from, to, false)
    }

    /// The node's end: it greets.
    pub fn to_launcher(from: OwnedFd, to: OwnedFd) -> io::Result<Self> {
        let mut channel = Self::new(from, to, true)?;
        channel.outgoing.extend_from_slice(greeting().as_bytes());
        channel.flush();
        Ok(channel)
    }

    fn new(from: OwnedFd, to: OwnedFd, greeted: bool) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&from, true)?;
        rustix::io::ioctl_fionbio(&to, true)?;
        Ok(Self { from, to, incoming: Vec::new(), outgoing: Vec::new(), sent: 0, closed: false, greeted, put_back: Vec::new(), nonsense: None })
    }

    pub fn send(&mut self, frame: &Frame) {
        frame.encode(&mut self.outgoing);
        self.flush();
    }

    pub fn flush(&mut self) {
        while self.sent < self.outgoing.len() && !self.closed {
            match rustix::io::write(&self.to, &self.outgoing[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => break,
                Err(_) => self.closed = true,
            }
        }
        if self.sent > BACKLOG || self.sent == self.outgoing.len() {
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
                Ok(count) => self.incoming.extend_from_slice(&bytes[..count]),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                Err(_) => ended = true,
            }
            if ended {
                break;
            }
        }
        let mut frames = std::mem::take(&mut self.put_back);
        let mut taken = 0;
        if !self.greeted {
            taken = self.skip_to_greeting();
        }
        while self.greeted && self.nonsense.is_none() {
            match Frame::decode(&self.incoming[taken..]) {
                Decoded::Frame(frame, length) => {
                    frames.push(frame);
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
        let Some(at) = text.windows(GREETING.len()).position(|window| window == GREETING.as_bytes()) else { return 0 };
        let Some(length) = text[at..].iter().position(|byte| *byte == b'\n') else { return 0 };
        let said = String::from_utf8_lossy(&text[at..=at + length]).into_owned();
        if said == greeting() {
            self.greeted = true;
        } else {
            let ours = greeting();
            self.nonsense = Some(format!("its hpvmd is another version: {:?} instead of {:?}", said.trim_end(), ours.trim_end()));
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

    /// Whether the node has said that it is one, and what it said instead.
    pub fn greeted(&self) -> Result<(), String> {
        if self.greeted { Ok(()) } else { Err(String::from_utf8_lossy(&self.incoming).trim().to_owned()) }
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
            if self.closed {
                return None;
            }
            let mut polled: Vec<_> = self.interests().collect();
            let _ = poll(&mut polled, None);
            self.flush();
        }
    }

    /// Waits until everything has left.
    pub fn drain(&mut self) {
        while self.backlog() > 0 {
            let mut polled = [PollFd::new(&self.to, PollFlags::OUT)];
            let _ = poll(&mut polled, None);
            self.flush();
        }
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
        assert!(ours.receive().is_empty() && ours.greeted().is_err());
        let mut node = Channel::to_launcher(from, to).unwrap();
        node.send(&Frame::Taken(3));
        assert_eq!(ours.wait(), Some(Frame::Taken(3)));
        ours.send(&Frame::Stdin(vec![1; 3 * BACKLOG]));
        assert!(ours.backlog() > 0);
        let mut frame = None;
        while frame.is_none() {
            ours.flush();
            frame = node.receive().pop();
        }
        assert_eq!(frame, Some(Frame::Stdin(vec![1; 3 * BACKLOG])));
        drop(node);
        assert_eq!(ours.wait(), None);
        assert!(ours.nonsense().is_none());
    }

    #[test]
    fn another_version_is_named() {
        let (mut ours, _from, to) = pair();
        rustix::io::write(&to, b"HPVM node, start-up protocol 1, version 0.0.1\n").unwrap();
        assert_eq!(ours.wait(), None);
        assert!(ours.nonsense().unwrap().contains("version 0.0.1"));
    }

    #[test]
    fn what_is_no_node_is_quoted() {
        let (mut ours, _from, to) = pair();
        rustix::io::write(&to, b"sh: hpvmd: not found\n").unwrap();
        drop(to);
        assert_eq!(ours.wait(), None);
        assert_eq!(ours.greeted().unwrap_err(), "sh: hpvmd: not found");
    }
}
