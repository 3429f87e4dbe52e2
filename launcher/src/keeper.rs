//! The processes between `hpvmrun` and the ranks, whose only purpose is that nothing outlives the job.
//!
//! `hpvmrun` → outer keeper → inner keeper → ranks. All three are subreapers and each pair of them is
//! joined by a socket that the kernel closes when one of them dies, be it by SIGKILL. Who sees a
//! neighbour die sees to it that everything below itself ends, so any one that survives is enough:
//!
//! * without `hpvmrun` both keepers see their socket end; the inner one ends the ranks, the outer one
//!   waits for it to leave;
//! * without the outer keeper the inner one becomes `hpvmrun`'s child and ends the ranks; `hpvmrun` waits;
//! * without the inner keeper its ranks die by their PDEATHSIG, their children come to the outer one, which
//!   ends them.
//!
//! None of the three ends another one that may be at work: that would be a death more than the two
//! which a job survives. So of the survivors the innermost acts, and the others wait for it, though not for ever
//! ([`SURVIVOR_MAX`]), for it may have been stopped.
//!
//! An `hpvmd` may also be stopped (SIGSTOP), and then ends nothing: it lets its outer keeper hear of it now and then, which ends it when it
//! falls silent. A stopped `hpvmrun` is left alone: the user stopped it, and sees it.
//!
//! When all three die in one instant, the kernel still ends the ranks (PDEATHSIG) and all in their process
//! groups ([`sys::Exec::tie`]).
//!
//! Where ranks are on other machines, the [`relay`] takes the inner keeper's place.
//!
//! The keepers are forked, not executed: they are two pages of stack and a loop, they load nothing and
//! have one thread, from which PDEATHSIG depends (it is sent when the *thread* that forked ends).

mod inner;
mod outer;
pub mod relay;

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Duration;

use hpvm_wire::{Descriptor, Net, StartUp, pmi};
use rustix::process::{Pid, Rlimit};

pub use relay::RelaySetup;

use crate::link::{Link, Message};
use crate::plan::Plan;
use crate::sys::{self, SignalMask};

/// A rank's ends of what `hpvmrun` reads and writes.
#[derive(Debug)]
pub struct RankEnds {
    /// All but rank 0 share one /dev/null.
    pub stdin: Rc<OwnedFd>,
    pub stdout: OwnedFd,
    pub stderr: OwnedFd,
}

/// All that the inner keeper needs to start the ranks.
pub struct Setup<'a> {
    pub plan: &'a Plan,
    pub ends: Vec<RankEnds>,
    pub mem: Descriptor,
    pub status: Descriptor,
    pub event: Descriptor,
    pub net: Option<NetSetup>,
    /// The sockets at which ranks speak PMI, where they can: each rank's, or none.
    pub pmi: Vec<OwnedFd>,
    /// For ranks on other machines, in place of all that ranks here need.
    pub relay: Option<RelaySetup>,
    /// For how long the keepers may hear nothing of who started them, before they take it as an end.
    pub silence: Option<Duration>,
    /// What hpvmrun was started with, and ranks are to have again.
    pub mask: SignalMask,
    pub files: Rlimit,
}

/// The network of ranks that shared memory does not join.
pub struct NetSetup {
    pub file: Descriptor,
    /// Of each rank here.
    pub listeners: Vec<Descriptor>,
}

impl Setup<'_> {
    /// What a rank keeps open beyond the usual three.
    fn inherited(&self, rank: usize) -> Vec<RawFd> {
        let net = self.net.iter().flat_map(|net| [net.file.fd, net.listeners[rank].fd]);
        let pmi = self.pmi.get(rank).map(AsRawFd::as_raw_fd);
        [self.mem.fd, self.status.fd, self.event.fd].into_iter().chain(net).chain(pmi).collect()
    }

    /// By which a library of MPICH's family finds its launcher.
    fn pmi(&self, rank: usize) -> Vec<(&'static str, String)> {
        let Some(socket) = self.pmi.get(rank) else { return Vec::new() };
        let place = &self.plan.ranks[rank].place;
        let numbers = [(pmi::FD, socket.as_raw_fd().to_string()), (pmi::RANK, place.rank.to_string()), (pmi::SIZE, place.size.to_string())];
        numbers.into()
    }

    fn start_up(&self, rank: usize, launcher_pid: u32) -> StartUp {
        StartUp {
            place: self.plan.ranks[rank].place,
            launcher_pid,
            mem: self.mem,
            status: self.status,
            event: self.event,
            net: self.net.as_ref().map(|net| Net { file: net.file, listener: net.listeners[rank] }),
        }
    }
}

/// The keepers, as `hpvmrun` sees them.
#[derive(Debug)]
pub struct Keepers {
    /// Messages to and from the inner keeper.
    pub inner: Link,
    /// Says only whether the outer keeper lives.
    pub outer: Link,
    pub outer_pid: Pid,
}

/// Starts the keepers, and with them the ranks. `ours` is what only `hpvmrun` may hold; in the keepers
/// it is dropped.
pub fn start<T>(setup: Setup, ours: T) -> io::Result<(Keepers, T)> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    let (inner, inner_far) = Link::pair()?;
    let (outer, outer_far) = Link::pair()?;
    let launcher = rustix::process::getpid();
    match sys::fork()? {
        Some(outer_pid) => Ok((Keepers { inner, outer, outer_pid }, ours)),
        None => {
            drop((ours, inner, outer));
            outer::run(setup, outer_far, inner_far, launcher)
        }
    }
}

/// How long a survivor may take to end what is below it before the next one acts, too.
pub const SURVIVOR_MAX: Duration = Duration::from_secs(5);

/// What both keepers do first: signals from outside are hpvmrun's business, and so is the terminal.
fn settle(name: &std::ffi::CStr) -> io::Result<()> {
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    rustix::thread::set_name(name)?;
    let null = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty())?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
}

/// Waits for any of these to become readable or to end, but no longer than `most`.
pub fn wait_for(files: &[std::os::fd::BorrowedFd], writing: Option<&Link>, most: Option<Duration>) {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let mut polled: Vec<_> = files.iter().map(|file| PollFd::new(file, PollFlags::IN)).collect();
    if let Some(link) = writing {
        polled.push(PollFd::new(link, PollFlags::OUT));
    }
    // Interrupted or failed: the caller looks at everything in any case.
    let most = most.and_then(|most| Timespec::try_from(most).ok());
    let _ = poll(&mut polled, most.as_ref());
}

/// The last word over a link, then the end of this process.
fn leave(mut link: Link) -> ! {
    link.send(Message::Done);
    while link.has_unsent() {
        wait_for(&[], Some(&link), None);
        link.flush();
    }
    std::process::exit(0)
}
