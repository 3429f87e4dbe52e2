//! Descriptors that cross `exec`.
//!
//! A rank inherits descriptors by number. Between `hpvmrun` and `MPI_Init` there may be a shell,
//! a debugger or Python's `subprocess`, which close descriptors they do not know and may reuse the
//! number. So the number travels with the inode of the file, written `FD:INODE`: where they disagree
//! the rank opens the file anew through `/proc/LAUNCHER/fd/FD`, which the launcher keeps open under
//! the same number for as long as it lives.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::str::FromStr;

use rustix::fs::{Mode, OFlags};
use rustix::io::FdFlags;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

/// One inherited descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Descriptor {
    pub fd: RawFd,
    pub inode: u64,
}

impl Descriptor {
    /// Names an open file, as the launcher does it.
    pub fn of(file: &impl AsFd) -> io::Result<Self> {
        let file = file.as_fd();
        Ok(Self { fd: file.as_raw_fd(), inode: rustix::fs::fstat(file)?.st_ino })
    }

    /// Takes the descriptor over, marked close-on-exec: the inherited one, or where that is gone the
    /// launcher's. To be called once per process and descriptor, since the caller then owns it.
    pub fn open(&self, launcher_pid: u32) -> io::Result<OwnedFd> {
        if let Some(inherited) = self.inherited() {
            return Ok(inherited);
        }
        let path = format!("/proc/{launcher_pid}/fd/{}", self.fd);
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let explain = |error: io::Error| {
            io::Error::new(
                error.kind(),
                format!(
                    "descriptor {} from hpvmrun was closed by a program between hpvmrun and this one, and {path} \
                     cannot be opened in its place: {error}",
                    self.fd
                ),
            )
        };
        let file = rustix::fs::open(&path, flags, Mode::empty()).map_err(|errno| explain(errno.into()))?;
        if rustix::fs::fstat(&file)?.st_ino != self.inode {
            return Err(explain(io::Error::other("it is another file")));
        }
        Ok(file)
    }

    /// As [`open`](Self::open), for a socket, which has no path: the launcher's is duplicated, where the system lets us.
    pub fn open_socket(&self, launcher_pid: u32) -> io::Result<OwnedFd> {
        if let Some(inherited) = self.inherited() {
            return Ok(inherited);
        }
        let explain = |error: io::Error| {
            let text = format!(
                "socket {} from hpvmrun was closed by a program between hpvmrun and this one, and that of process \
                 {launcher_pid} cannot be had in its place: {error}",
                self.fd
            );
            io::Error::new(error.kind(), text)
        };
        let launcher = i32::try_from(launcher_pid).ok().and_then(Pid::from_raw).ok_or_else(|| explain(io::ErrorKind::NotFound.into()))?;
        let duplicate = pidfd_open(launcher, PidfdFlags::empty())
            .and_then(|launcher| pidfd_getfd(launcher, self.fd, PidfdGetfdFlags::empty()))
            .map_err(|errno| explain(errno.into()))?;
        if rustix::fs::fstat(&duplicate)?.st_ino != self.inode {
            return Err(explain(io::Error::other("it is another file")));
        }
        Ok(duplicate)
    }

    fn inherited(&self) -> Option<OwnedFd> {
        // SAFETY: the number is only used for fstat here, which answers EBADF for one that is not open.
        let file = unsafe { BorrowedFd::borrow_raw(self.fd) };
        if rustix::fs::fstat(file).ok()?.st_ino != self.inode {
            return None;
        }
        rustix::io::fcntl_setfd(file, FdFlags::CLOEXEC).ok()?;
        // SAFETY: it is open and it is the file that the launcher left here for this process to own;
        // `open` asks its caller to take it once.
        Some(unsafe { OwnedFd::from_raw_fd(self.fd) })
    }
}

impl fmt::Display for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.fd, self.inode)
    }
}

impl FromStr for Descriptor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (fd, inode) = text.split_once(':').ok_or(())?;
        let fd = fd.parse().ok().filter(|fd| *fd >= 0).ok_or(())?;
        Ok(Self { fd, inode: inode.parse().map_err(|_| ())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd;

    fn memory(size: u64) -> OwnedFd {
        let file = rustix::fs::memfd_create("hpvm-test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&file, size).unwrap();
        file
    }

    #[test]
    fn the_inherited_one_is_taken_over() {
        let file = memory(1);
        let named = Descriptor::of(&file).unwrap();
        let number = file.into_raw_fd();
        let taken = named.open(u32::MAX).unwrap();
        assert_eq!(taken.as_raw_fd(), number);
    }

    #[test]
    fn a_reused_number_is_noticed_and_the_launcher_asked() {
        let (ours, other) = (memory(11), memory(22));
        let wrong = Descriptor { fd: other.as_raw_fd(), inode: Descriptor::of(&ours).unwrap().inode };
        let error = wrong.open(std::process::id()).unwrap_err();
        assert!(error.to_string().contains("another file"), "{error}");

        // The number is closed here and the "launcher" (a child that keeps it open) has it.
        let mut keeper = std::process::Command::new("sleep");
        rustix::io::fcntl_setfd(&ours, FdFlags::empty()).unwrap();
        let mut keeper = keeper.arg("60").spawn().unwrap();
        let named = Descriptor::of(&ours).unwrap();
        drop(ours);
        let reopened = named.open(keeper.id());
        keeper.kill().unwrap();
        keeper.wait().unwrap();
        assert_eq!(rustix::fs::fstat(reopened.unwrap()).unwrap().st_size, 11);
    }

    #[test]
    fn a_socket_that_was_closed_is_had_from_the_launcher() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut keeper = std::process::Command::new("sleep");
        rustix::io::fcntl_setfd(&listener, FdFlags::empty()).unwrap();
        let mut keeper = keeper.arg("60").spawn().unwrap();
        let (named, address) = (Descriptor::of(&listener).unwrap(), listener.local_addr().unwrap());
        drop(listener);
        let again = named.open_socket(keeper.id());
        keeper.kill().unwrap();
        keeper.wait().unwrap();
        assert_eq!(std::net::TcpListener::from(again.unwrap()).local_addr().unwrap(), address);
        let gone = named.open_socket(u32::MAX).unwrap_err().to_string();
        assert!(gone.contains("closed by a program between"), "{gone}");
    }

    #[test]
    fn without_a_launcher_the_text_says_what_was_tried() {
        let error = Descriptor { fd: 900, inode: 1 }.open(u32::MAX).unwrap_err().to_string();
        assert!(error.contains("descriptor 900") && error.contains("/proc/4294967295/fd/900"), "{error}");
    }
}
