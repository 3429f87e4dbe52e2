//! The socket between `hpvmrun` and a keeper: small records, and the news of the other's death.
//!
//! The end of the stream is that news, since each end is held by one process only and closed by the
//! kernel however that process ends. Neither side ever blocks in a write: what does not fit waits here.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SendFlags, SocketFlags, SocketType};

use crate::exit::End;

/// What goes over a link: a kind, a rank where one is meant, and two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message {
    /// Keeper: it runs, as this process.
    Hello { pid: u32 },
    /// Keeper: a rank's process was made.
    Started { rank: u32, pid: u32 },
    /// Keeper: a rank could not be started; a [`crate::sys::Step`] and an errno.
    NotStarted { rank: u32, step: u32, errno: u32 },
    /// Keeper: a rank's process ended.
    Ended { rank: u32, end: End },
    /// hpvmd: the rank's MPI process, which a program below the keeper had started, is gone.
    Vanished { rank: u32 },
    /// Keeper: everything below it is gone, it leaves now.
    Done,
    /// hpvmd, to the outer keeper: it lives.
    Beat,
    /// The relay: so many machines have answered.
    Reached { machines: u32 },
    /// hpvmrun: send this signal to everything below.
    Signal { number: u32 },
    /// hpvmrun: end everything below.
    Finish,
    /// hpvmrun: ask the system about all ranks, and show on the board what it says. Only nodes are told.
    Look,
}

const RECORD: usize = 16;

impl Message {
    pub(crate) fn encode(self) -> [u32; RECORD / 4] {
        match self {
            Self::Hello { pid } => [1, 0, pid, 0],
            Self::Started { rank, pid } => [2, rank, pid, 0],
            Self::NotStarted { rank, step, errno } => [3, rank, step, errno],
            Self::Ended { rank, end: End::Status(code) } => [4, rank, 0, code.into()],
            Self::Ended { rank, end: End::Signal { number, core } } => [4, rank, 1 + u32::from(core), number.into()],
            Self::Done => [5, 0, 0, 0],
            Self::Signal { number } => [6, 0, number, 0],
            Self::Finish => [7, 0, 0, 0],
            Self::Vanished { rank } => [8, rank, 0, 0],
            Self::Beat => [9, 0, 0, 0],
            Self::Look => [10, 0, 0, 0],
            Self::Reached { machines } => [11, 0, machines, 0],
        }
    }

    pub(crate) fn decode([kind, rank, a, b]: [u32; RECORD / 4]) -> Option<Self> {
        Some(match kind {
            1 => Self::Hello { pid: a },
            2 => Self::Started { rank, pid: a },
            3 => Self::NotStarted { rank, step: a, errno: b },
            4 if a == 0 => Self::Ended { rank, end: End::Status(b as u8) },
            4 => Self::Ended { rank, end: End::Signal { number: b as u8, core: a == 2 } },
            5 => Self::Done,
            6 => Self::Signal { number: a },
            7 => Self::Finish,
            8 => Self::Vanished { rank },
            9 => Self::Beat,
            10 => Self::Look,
            11 => Self::Reached { machines: a },
            _ => return None,
        })
    }
}

/// One end.
#[derive(Debug)]
pub struct Link {
    socket: OwnedFd,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    closed: bool,
}

impl Link {
    pub fn pair() -> io::Result<(Self, Self)> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (a, b) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
        let link = |socket| Self { socket, outgoing: Vec::new(), incoming: Vec::new(), closed: false };
        Ok((link(a), link(b)))
    }

    /// Sends, now or as soon as there is room.
    pub fn send(&mut self, message: Message) {
        self.outgoing.extend(message.encode().iter().flat_map(|word| word.to_ne_bytes()));
        self.flush();
    }

    /// Sends what could not be sent before.
    pub fn flush(&mut self) {
        while !self.outgoing.is_empty() {
            match rustix::net::send(&self.socket, &self.outgoing, SendFlags::NOSIGNAL) {
                Ok(sent) => drop(self.outgoing.drain(..sent)),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => return,
                Err(_) => self.outgoing.clear(),
            }
        }
    }

    pub fn has_unsent(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// What has arrived.
    pub fn receive(&mut self) -> Vec<Message> {
        let mut bytes = [0; 256 * RECORD];
        while !self.closed {
            match rustix::io::read(&self.socket, &mut bytes) {
                Ok(0) => self.closed = true,
                Ok(count) => self.incoming.extend_from_slice(&bytes[..count]),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => break,
                Err(_) => self.closed = true,
            }
        }
        let whole = self.incoming.len() / RECORD * RECORD;
        let (records, _) = self.incoming[..whole].as_chunks::<RECORD>();
        let messages = records.iter().filter_map(|record| {
            let (words, _) = record.as_chunks::<4>();
            Message::decode(std::array::from_fn(|at| u32::from_ne_bytes(words[at])))
        });
        let messages = messages.collect();
        self.incoming.drain(..whole);
        messages
    }

    /// The other side is gone, and all it sent has been received.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Message; 12] = [
        Message::Hello { pid: 9 },
        Message::Started { rank: 1, pid: u32::MAX },
        Message::NotStarted { rank: 2, step: 4, errno: 13 },
        Message::Ended { rank: 3, end: End::Status(255) },
        Message::Ended { rank: 3, end: End::Signal { number: 6, core: true } },
        Message::Ended { rank: 3, end: End::Signal { number: 9, core: false } },
        Message::Vanished { rank: 3 },
        Message::Reached { machines: 9 },
        Message::Beat,
        Message::Done,
        Message::Signal { number: 15 },
        Message::Finish,
    ];

    #[test]
    fn messages_arrive_whole_and_the_end_after_them() {
        let (mut a, mut b) = Link::pair().unwrap();
        assert_eq!(b.receive(), []);
        ALL.into_iter().for_each(|message| a.send(message));
        drop(a);
        assert_eq!(b.receive(), ALL);
        assert!(b.is_closed());
    }

    #[test]
    fn more_than_a_socket_holds_is_kept_and_nothing_blocks() {
        let (mut a, mut b) = Link::pair().unwrap();
        let count = 100_000;
        for rank in 0..count {
            a.send(Message::Started { rank, pid: 1 });
        }
        assert!(a.has_unsent());
        let mut got = 0;
        while got < count {
            for message in b.receive() {
                assert_eq!(message, Message::Started { rank: got, pid: 1 });
                got += 1;
            }
            a.flush();
        }
        assert!(!a.has_unsent());
    }

    #[test]
    fn writing_to_the_dead_is_quiet() {
        let (mut a, b) = Link::pair().unwrap();
        drop(b);
        a.send(Message::Finish);
        assert!(!a.has_unsent());
    }
}
