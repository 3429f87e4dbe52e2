//! Where output goes: hpvmrun's own stdout or stderr, or a file of `--output`.
//!
//! hpvmrun must stay able to act on signals while a pager does not read, and must not make the shell's
//! terminal non-blocking for everybody. So it writes only when `poll` has said that there is room, and
//! then no more than a pipe's guaranteed piece.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// What may wait here before ranks are no longer read from.
const ROOM: usize = 256 << 10;

/// A pipe that `poll` calls writable takes this much without blocking (`PIPE_BUF`).
const PIECE: usize = 4096;

const PIECES_AT_ONCE: usize = 64;

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

    /// Writes all that can be written without waiting. An error is returned once; later output vanishes.
    pub fn write_what_fits(&mut self) -> Result<(), Errno> {
        // A bound, so that a fast reader of one stream does not keep hpvmrun from everything else.
        for _ in 0..PIECES_AT_ONCE {
            if self.is_empty() || !(self.regular || self.is_writable()) {
                break;
            }
            self.write_piece()?;
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

    fn write_piece(&mut self) -> Result<(), Errno> {
        let waiting = &self.queue[self.sent..];
        let piece = &waiting[..waiting.len().min(if self.regular { usize::MAX } else { PIECE })];
        match rustix::io::write(&*self, piece) {
            Ok(written) => self.sent += written,
            Err(Errno::INTR | Errno::AGAIN) => (),
            Err(errno) => {
                self.broken = true;
                self.discard();
                return Err(errno);
            }
        }
        Ok(())
    }

    fn is_writable(&self) -> bool {
        let mut polled = [PollFd::new(self, PollFlags::OUT)];
        poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|count| count > 0)
    }

    /// Drops what waits.
    pub fn discard(&mut self) {
        self.queue.clear();
        self.sent = 0;
    }

    /// The end. Network file systems say only now that the disk was full; they are asked, others are not,
    /// since waiting for their disks would take long and tell nothing.
    pub fn close(self) -> io::Result<()> {
        match self.target {
            Target::File(file) if is_remote(&file) => file.sync_data(),
            _ => Ok(()),
        }
    }
}

/// NFS, SMB (two kinds), Lustre, FUSE.
fn is_remote(file: &File) -> bool {
    const REMOTE: [u64; 5] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x0bd0_0bd0, 0x6573_5546];
    rustix::fs::fstatfs(file).is_ok_and(|system| REMOTE.contains(&(system.f_type as u64 & 0xffff_ffff)))
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
