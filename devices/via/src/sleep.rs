//! Sleeping until there is something: for a process that may have other devices, too, and sleeps on all of them at once.

use crate::state::State;
use fm::ThreadLock;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

/// How a process is to sleep.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sleep {
    /// There is something already.
    Not,
    /// Until the provider's descriptor is readable.
    OnDescriptor,
    /// For so long: nothing tells when there is something.
    Nap(Duration),
}

/// One descriptor for the whole life of a device; with a provider that has none it is never readable.
pub struct Watched(OwnedFd);

impl Watched {
    pub fn new(descriptor: Option<RawFd>) -> io::Result<Watched> {
        // SAFETY: a new descriptor, if it is one.
        let epoll = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if epoll < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: just made, and nobody else's.
        let epoll = unsafe { OwnedFd::from_raw_fd(epoll) };
        if let Some(descriptor) = descriptor {
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            // SAFETY: two descriptors that are open, and an event.
            if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, descriptor, &raw mut event) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Watched(epoll))
    }

    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How long a sleep on the descriptor that begins now may last.
pub fn limit(state: &ThreadLock<State>) -> Option<Duration> {
    match state.lock().sleep() {
        Sleep::Not => Some(Duration::ZERO),
        Sleep::OnDescriptor => None,
        Sleep::Nap(nap) => Some(nap),
    }
}
