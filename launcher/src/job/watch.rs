//! The MPI processes that are not children of the inner keeper but of a program it started.
//!
//! Nobody tells hpvmrun when one of those dies; a pidfd does. They are rare (`bash -c './a.out; …'`).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags};

#[derive(Debug)]
enum Watched {
    Held(OwnedFd),
    /// A kernel or container without pidfds: asked now and then.
    ByNumber(Pid),
    Gone,
}

/// One watched process per rank at most.
#[derive(Debug, Default)]
pub struct Watch {
    watched: Vec<(u32, Watched)>,
}

impl Watch {
    pub fn contains(&self, rank: u32) -> bool {
        self.watched.iter().any(|(watched, _)| *watched == rank)
    }

    pub fn add(&mut self, rank: u32, pid: u32) {
        let Some(pid) = Pid::from_raw(pid as i32) else { return };
        let watched = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            Ok(held) => Watched::Held(held),
            Err(Errno::SRCH) => Watched::Gone,
            Err(_) => Watched::ByNumber(pid),
        };
        self.watched.push((rank, watched));
    }

    pub fn interests(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        self.watched.iter().filter_map(|(_, watched)| match watched {
            Watched::Held(held) => Some(held.as_fd()),
            _ => None,
        })
    }

    /// Some can only be seen by asking again.
    pub fn needs_asking(&self) -> bool {
        self.watched.iter().any(|(_, watched)| !matches!(watched, Watched::Held(_)))
    }

    /// Ranks whose MPI process has ended since the last call.
    pub fn take_gone(&mut self) -> Vec<u32> {
        self.watched.extract_if(.., |(_, watched)| watched.has_ended()).map(|(rank, _)| rank).collect()
    }
}

impl Watched {
    fn has_ended(&self) -> bool {
        match self {
            Self::Held(held) => {
                let mut polled = [PollFd::new(held, PollFlags::IN)];
                let now = Timespec { tv_sec: 0, tv_nsec: 0 };
                poll(&mut polled, Some(&now)).is_ok_and(|count| count > 0)
            }
            Self::ByNumber(pid) => rustix::process::test_kill_process(*pid) == Err(Errno::SRCH),
            Self::Gone => true,
        }
    }
}
