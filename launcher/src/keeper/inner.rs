//! The inner keeper: starts the ranks, reports how each of them ends, passes signals on, and ends
//! everything when it is told to or when a neighbour dies.

use std::collections::{HashMap, HashSet};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use rustix::process::{Pid, Signal, WaitStatus};

use super::{Setup, leave, settle, wait_for};
use crate::exit::End;
use crate::link::{Link, Message};
use crate::reap;
use crate::sys::{self, Exec, SignalFd, Step};

pub fn run(mut setup: Setup, mut link: Link, mut tie: Link, launcher: Pid) -> ! {
    if let Some(relay) = setup.relay.take() {
        super::relay::run(setup, relay, link, tie)
    }
    let outcome = settle(c"hpvm-keeper-2").and_then(|()| Ranks::prepare());
    let (mut ranks, children) = match outcome {
        Ok(made) => made,
        Err(error) => {
            eprintln!("hpvmrun: the keeper could not start: {error}");
            std::process::exit(1)
        }
    };
    link.send(Message::Hello { pid: std::process::id() });
    if !is_alone(&mut link, &mut tie) {
        ranks.start(&setup, launcher, &mut link);
    }
    drop(setup);

    loop {
        let sending = link.has_unsent().then_some(&link);
        wait_for(&[link.as_fd(), tie.as_fd(), children.as_fd(), ranks.failures.as_fd()], sending, None);
        while children.next().is_some() {}
        link.flush();
        let commands = link.receive();
        // What the ranks did until now comes before what is done to them.
        reap::ready(&mut |pid, status| ranks.ended(pid, status, &mut link));
        for command in commands {
            match command {
                Message::Signal { number } => {
                    if let Some(signal) = Signal::from_named_raw(number as i32) {
                        reap::signal_all(signal);
                    }
                }
                Message::Finish => {
                    reap::everything(&HashSet::new(), |pid, status| ranks.ended(pid, status, &mut link));
                    leave(link);
                }
                _ => (),
            }
        }
        if is_alone(&mut link, &mut tie) {
            reap::everything(&HashSet::new(), |_, _| ());
            std::process::exit(0);
        }
        ranks.report_failures(&mut link);
    }
}

/// A neighbour has died.
fn is_alone(link: &mut Link, tie: &mut Link) -> bool {
    tie.receive();
    link.is_closed() || tie.is_closed()
}

struct Ranks {
    by_pid: HashMap<Pid, u32>,
    /// Where a child says that it could not become a rank; see [`sys::spawn`].
    failures: OwnedFd,
    failures_far: OwnedFd,
    failed: HashSet<u32>,
    /// See [`Exec::tie`].
    tie: OwnedFd,
    /// Only this process holds it, and nobody writes to it: its end is this process's end.
    _tie_far: OwnedFd,
}

impl Ranks {
    fn prepare() -> io::Result<(Self, SignalFd)> {
        let (failures, failures_far) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (tie, _tie_far) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        let children = SignalFd::new(&[libc::SIGCHLD])?;
        let (by_pid, failed) = (HashMap::new(), HashSet::new());
        Ok((Self { by_pid, failures, failures_far, failed, tie, _tie_far }, children))
    }

    fn start(&mut self, setup: &Setup, launcher: Pid, link: &mut Link) {
        for (index, planned) in setup.plan.ranks.iter().enumerate() {
            let part = &setup.plan.parts[planned.part];
            let ends = &setup.ends[index];
            let own = variables(setup, index, launcher);
            let exec = Exec {
                path: &part.path,
                arguments: &part.arguments,
                environment: [&part.environment, &own],
                work_dir: part.work_dir.as_deref(),
                stdio: [ends.stdin.as_fd(), ends.stdout.as_fd(), ends.stderr.as_fd()],
                inherited: &setup.inherited(index),
                cores: planned.cores.as_ref(),
                mask: &setup.mask,
                files: setup.files,
                report: self.failures_far.as_fd(),
                tie: self.tie.as_fd(),
                rank: index as u32,
            };
            match sys::spawn(&exec) {
                Ok(pid) => {
                    self.by_pid.insert(pid, index as u32);
                    link.send(Message::Started { rank: index as u32, pid: pid.as_raw_pid() as u32 });
                }
                Err(error) => {
                    let errno = error.raw_os_error().unwrap_or(0) as u32;
                    link.send(Message::NotStarted { rank: index as u32, step: Step::Fork as u32, errno });
                    return;
                }
            }
        }
    }

    /// A child was reaped: a rank, or an orphan that some rank left behind.
    fn ended(&mut self, pid: Pid, status: WaitStatus, link: &mut Link) {
        self.report_failures(link);
        if let Some(end) = End::from_wait(status)
            && let Some(rank) = self.by_pid.remove(&pid)
            && !self.failed.contains(&rank)
        {
            link.send(Message::Ended { rank, end });
        }
    }

    fn report_failures(&mut self, link: &mut Link) {
        let mut record = [0; 12];
        loop {
            match rustix::io::read(&self.failures, &mut record) {
                Ok(length) if length == record.len() => {
                    let (words, _) = record.as_chunks::<4>();
                    let [rank, step, errno] = std::array::from_fn(|at| u32::from_ne_bytes(words[at]));
                    self.failed.insert(rank);
                    link.send(Message::NotStarted { rank, step, errno });
                }
                Err(Errno::INTR) => (),
                _ => return,
            }
        }
    }
}

/// The variables of the start-up protocols for one rank.
fn variables(setup: &Setup, index: usize, launcher: Pid) -> Vec<CString> {
    let start_up = setup.start_up(index, launcher.as_raw_pid() as u32);
    let strings = start_up.variables().into_iter().chain(setup.pmi(index)).map(|(name, value)| format!("{name}={value}"));
    // None of them can contain a zero byte: they are names and numbers.
    strings.into_iter().filter_map(|string| CString::new(string).ok()).collect()
}
