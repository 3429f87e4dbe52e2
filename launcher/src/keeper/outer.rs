//! The outer keeper: has a session of its own, so that the terminal's signals reach neither it nor what
//! is below; starts the inner keeper; ends everything when either neighbour dies.

use std::collections::HashSet;
use std::os::fd::AsFd;

use rustix::process::Pid;

use super::{Setup, inner, settle, wait_for};
use crate::link::Link;
use crate::reap;
use crate::sys::{self, SignalFd};

pub fn run(setup: Setup, mut launcher_link: Link, inner_link: Link, launcher: Pid) -> ! {
    let outcome = (|| {
        rustix::process::setsid()?;
        settle(c"hpvm-keeper-1")?;
        let children = SignalFd::new(&[libc::SIGCHLD])?;
        let (tie, tie_far) = Link::pair()?;
        if let Some(inner_pid) = sys::fork()? {
            drop((setup, inner_link, tie_far));
            return Ok((children, tie, inner_pid));
        }
        drop((children, launcher_link.as_fd(), tie));
        inner::run(setup, inner_link, tie_far, launcher)
    })();
    let (children, mut tie, inner_pid): (SignalFd, Link, Pid) = match outcome {
        Ok(made) => made,
        // hpvmrun sees the links end and says that the keeper could not start.
        Err(error) => fail(&error),
    };
    let mut inner_lives = true;
    while inner_lives && !launcher_link.is_closed() && !tie.is_closed() {
        wait_for(&[launcher_link.as_fd(), tie.as_fd(), children.as_fd()], None);
        while children.next().is_some() {}
        reap::ready(&mut |pid, _| inner_lives &= pid != inner_pid);
        launcher_link.receive();
        tie.receive();
    }
    reap::everything(&HashSet::new(), |_, _| ());
    std::process::exit(0)
}

fn fail(error: &std::io::Error) -> ! {
    eprintln!("hpvmrun: the keeper could not start: {error}");
    reap::everything(&HashSet::new(), |_, _| ());
    std::process::exit(1)
}
