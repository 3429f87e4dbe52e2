//! Where output goes: hpvmrun's own stdout or stderr, or a file of `--output`.
//!
//! hpvmrun must stay able to act on signals while a pager does not read, and must not make the shell's
//! terminal non-blocking for everybody. So it writes only when `poll` has said that there is room, and
//! then no more than a pipe's guaranteed piece.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::io::Errno;

/// What may wait here before ranks are no longer read from.
const ROOM: usize = 256 << 10;

/// A pipe that `poll` calls writable takes this much without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;

#[derive(Debug)]
enum Target {
    Stdout,
    Stderr,
    File(File),
}

/// A place to write to, and what waits for it.
#[derive(Debug)]
pub struct Sink {
    target: Target,
    queue: Vec<u8>,
    sent: usize,
    regular: bool,
    /// Nothing can be written any more.
    broken: bool,
}

impl Sink {
    pub fn stdout() -> Self {
        Self::new(Target::Stdout)
    }

    pub fn stderr() -> Self {
        Self::new(Target::Stderr)
    }

    pub fn file(file: File) -> Self {
        Self::new(Target::File(file))
    }

    fn new(target: Target) -> Self {
        let mut sink = Self { target, queue: Vec::new(), sent: 0, regular: false, broken: false };
        sink.regular = rustix::fs::fstat(&sink)
            .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::RegularFile);
        sink
    }

    pub fn queue(&mut self) -> &mut Vec<u8> {
        &mut self.queue
    }

    pub fn has_room(&self) -> bool {
        self.broken || self.queue.len() - self.sent < ROOM
    }

    pub fn is_empty(&self) -> bool {
        self.broken || self.queue.len() == self.sent
    }

    /// A regular file never makes anybody wait; for the rest ask `poll`.
    pub fn is_regular(&self) -> bool {
        self.regular
    }

    /// Writes a piece, after `poll` has allowed it, or all to a regular file. An error is returned once;
    /// later output vanishes.
    pub fn write(&mut self) -> Result<(), Errno> {
        while !self.is_empty() {
            let waiting = &self.queue[self.sent..];
            let piece = &waiting[..waiting.len().min(if self.regular { usize::MAX } else { PIECE })];
            match rustix::io::write(&*self, piece) {
                Ok(written) => self.sent += written,
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => break,
                Err(errno) => {
                    self.broken = true;
                    self.queue = Vec::new();
                    self.sent = 0;
                    return Err(errno);
                }
            }
            if !self.regular {
                break;
            }
        }
        if self.sent == self.queue.len() {
            self.queue.clear();
            self.sent = 0;
        } else if self.sent > ROOM {
            self.queue.drain(..self.sent);
            self.sent = 0;
        }
        Ok(())
    }

    /// Drops what waits.
    pub fn discard(&mut self) {
        self.queue.clear();
        self.sent = 0;
    }

    /// Close reports what a network file system found out late.
    pub fn close(self) -> io::Result<()> {
        match self.target {
            Target::File(file) => file.sync_data().or_else(|error| match error.raw_os_error() {
                // Not a file that can be synchronised, /dev/full for one.
                Some(libc::EINVAL | libc::EROFS) => Ok(()),
                _ => Err(error),
            }),
            _ => Ok(()),
        }
    }
}

impl AsFd for Sink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.target {
            Target::Stdout => rustix::stdio::stdout(),
            Target::Stderr => rustix::stdio::stderr(),
            Target::File(file) => file.as_fd(),
        }
    }
}
