//! hpvmrun's stdin, passed on to rank 0.
//!
//! At most one piece is held, so a rank that does not read makes the source wait. In the background of
//! a terminal nothing is read at all (the read would stop hpvmrun with SIGTTIN); once in a while it is
//! looked whether that has changed.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub struct Stdin {
    /// Rank 0's pipe; `None` when there is nothing more to pass on or nobody to read it.
    to: Option<OwnedFd>,
    held: Vec<u8>,
    at_end: bool,
    terminal: bool,
    not_before: Option<Instant>,
}

impl Stdin {
    pub fn new(to: OwnedFd) -> Self {
        let terminal = rustix::termios::isatty(rustix::stdio::stdin());
        Self { to: Some(to), held: Vec::new(), at_end: false, terminal, not_before: None }
    }

    /// What to poll for now. Rank 0's pipe is always in it, to see its reader go.
    pub fn interests(&self, now: Instant) -> Vec<(BorrowedFd<'_>, PollFlags)> {
        let Some(to) = &self.to else { return Vec::new() };
        let writing = if self.held.is_empty() { PollFlags::empty() } else { PollFlags::OUT };
        let mut interests = vec![(to.as_fd(), writing)];
        if self.held.is_empty() && !self.is_waiting(now) {
            interests.push((rustix::stdio::stdin(), PollFlags::IN));
        }
        interests
    }

    pub fn deadline(&self) -> Option<Instant> {
        self.to.as_ref().and(self.not_before)
    }

    fn is_waiting(&self, now: Instant) -> bool {
        self.not_before.is_some_and(|at| at > now)
    }

    /// Moves what can be moved. Called after `poll` said so for one of the interests: `readable` for stdin,
    /// `gone` if rank 0's pipe has lost its reader.
    pub fn work(&mut self, readable: bool, gone: bool, now: Instant) {
        if gone {
            self.to = None;
        }
        if self.to.is_some() && readable && self.held.is_empty() {
            self.read(now);
        }
        self.write();
    }

    fn read(&mut self, now: Instant) {
        self.not_before = None;
        if self.terminal && in_background() {
            self.not_before = Some(now + LOOK_AGAIN);
            return;
        }
        let mut buffer = [0; 32 << 10];
        match rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
            Ok(0) => self.at_end = true,
            Ok(count) => self.held.extend_from_slice(&buffer[..count]),
            Err(Errno::INTR | Errno::AGAIN) => (),
            // Sent to the background between look and read.
            Err(Errno::IO) if self.terminal => self.not_before = Some(now + LOOK_AGAIN),
            Err(_) => self.at_end = true,
        }
    }

    fn write(&mut self) {
        while let Some(to) = self.to.as_ref().filter(|_| !self.held.is_empty()) {
            match rustix::io::write(to, &self.held) {
                Ok(count) => drop(self.held.drain(..count)),
                Err(Errno::INTR) => (),
                Err(Errno::AGAIN) => return,
                Err(_) => self.to = None,
            }
        }
        if self.at_end {
            self.to = None;
        }
    }
}

fn in_background() -> bool {
    rustix::termios::tcgetpgrp(rustix::stdio::stdin()).is_ok_and(|group| group != rustix::process::getpgrp())
}
