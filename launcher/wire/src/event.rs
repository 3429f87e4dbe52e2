//! The bell: one byte through a pipe that makes the launcher look at the status board at once.
//!
//! A pipe and not an eventfd, because a wrapper program may have closed the inherited descriptor: a
//! pipe has an inode of its own by which that is noticed, and can be opened anew through `/proc`; an
//! eventfd has neither.
//!
//! Both ends are non-blocking. A full pipe is as good as a ring, since the launcher drains it before
//! it looks. Ranks hold the bell opened for reading *and* writing, so that a launcher that has died
//! costs them no SIGPIPE.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

/// A job's bell: the launcher owns one and listens, each rank owns one and rings.
#[derive(Debug)]
pub struct Bell(OwnedFd);

impl Bell {
    /// A new bell, close-on-exec.
    pub fn new() -> io::Result<Self> {
        let (reader, _writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        // Opening one end through /proc gives a descriptor that is both ends.
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
        let both = rustix::fs::open(path, OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self(both))
    }

    /// The rank's side, from [`crate::Descriptor::open`].
    pub fn from_descriptor(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// The same bell once more.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.try_clone()?))
    }

    /// Asks the launcher to look now. Cannot fail in a way that the caller could answer.
    pub fn ring(&self) {
        while let Err(Errno::INTR) = rustix::io::write(&self.0, &[1]) {}
    }

    /// Forgets the rings so far; true if there were any. To be called before looking at the board.
    pub fn clear(&self) -> bool {
        let mut bytes = [0; 512];
        let mut rang = false;
        loop {
            match rustix::io::read(&self.0, &mut bytes) {
                Ok(length) if length > 0 => rang = true,
                Err(Errno::INTR) => (),
                _ => return rang,
            }
        }
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    fn rings(bell: &Bell) -> bool {
        let mut polled = [PollFd::new(bell, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
        polled[0].revents().contains(PollFlags::IN)
    }

    #[test]
    fn a_ring_is_heard_and_cleared() {
        let bell = Bell::new().unwrap();
        assert!(!rings(&bell));
        bell.ring();
        assert!(rings(&bell));
        assert!(bell.clear());
        assert!(!rings(&bell) && !bell.clear());
    }

    #[test]
    fn a_bell_that_nobody_hears_neither_blocks_nor_fails() {
        let bell = Bell::new().unwrap();
        for _ in 0..100_000 {
            bell.ring();
        }
        assert!(bell.clear());
        assert!(!rings(&bell));
    }
}
