//! The outer keeper: has a session of its own, so that the terminal's signals reach neither it nor what
//! is below; starts the inner keeper; ends everything when either neighbour dies.

use std::collections::HashSet;
use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::process::{Pid, Signal};

use super::{SURVIVOR_MAX, Setup, inner, settle, wait_for};
use crate::link::Link;
use crate::node::pulse::{Look, Pulse};
use crate::reap;
use crate::sys::{self, SignalFd};

pub fn run(setup: Setup, launcher_link: Link, inner_link: Link, launcher: Pid) -> ! {
    match prepare(setup, launcher_link, inner_link, launcher) {
        Ok(outer) => outer.watch(),
        // hpvmrun sees the links end and says that a keeper is gone.
        Err(error) => {
            eprintln!("hpvmrun: the keeper could not start: {error}");
            reap::everything(&HashSet::new(), |_, _| ());
            std::process::exit(1)
        }
    }
}

struct Outer {
    /// To hpvmrun.
    launcher: Link,
    /// To the inner keeper.
    tie: Link,
    children: SignalFd,
    inner: Pid,
    /// hpvmrun or hpvmd, and when it was last heard.
    parent: Pid,
    pulse: Pulse,
}

fn prepare(setup: Setup, launcher_link: Link, inner_link: Link, launcher: Pid) -> io::Result<Outer> {
    rustix::process::setsid()?;
    settle(c"hpvm-keeper-1")?;
    let children = SignalFd::new(&[libc::SIGCHLD])?;
    let (tie, tie_far) = Link::pair()?;
    let pulse = Pulse::new(setup.silence, Instant::now());
    match sys::fork()? {
        // What is the inner keeper's is dropped here, and below what is not.
        Some(inner) => Ok(Outer { launcher: launcher_link, tie, children, inner, parent: launcher, pulse }),
        None => {
            drop((children, launcher_link, tie));
            inner::run(setup, inner_link, tie_far, launcher)
        }
    }
}

impl Outer {
    fn watch(mut self) -> ! {
        let mut inner_lives = true;
        while inner_lives && !self.launcher.is_closed() && !self.tie.is_closed() {
            let most = self.pulse.next().map(|next| next.saturating_duration_since(Instant::now()));
            wait_for(&[self.launcher.as_fd(), self.tie.as_fd(), self.children.as_fd()], None, most);
            while self.children.next().is_some() {}
            reap::ready(&mut |pid, _| inner_lives &= pid != self.inner);
            self.tie.receive();
            let now = Instant::now();
            if !self.launcher.receive().is_empty() {
                self.pulse.heard(now);
            }
            if self.pulse.look(now) == Look::Silent {
                self.end_parent();
            }
        }
        self.wait_for_inner(inner_lives);
        reap::everything(&HashSet::new(), |_, _| ());
        std::process::exit(0)
    }

    /// An hpvmd that has been stopped cannot end anything: it is ended itself, and then what is below as after any death of it.
    fn end_parent(&self) {
        // An orphan has another parent.
        if rustix::process::getppid() == Some(self.parent) {
            let _ = rustix::process::kill_process(self.parent, Signal::KILL);
        }
    }

    /// The inner keeper, where it lives, is ending the ranks for the same reason.
    fn wait_for_inner(&self, mut inner_lives: bool) {
        let end = Instant::now() + SURVIVOR_MAX;
        loop {
            reap::ready(&mut |pid, _| inner_lives &= pid != self.inner);
            let most = end.saturating_duration_since(Instant::now());
            if !inner_lives || most.is_zero() {
                return;
            }
            wait_for(&[self.children.as_fd()], None, Some(most));
            while self.children.next().is_some() {}
        }
    }
}
