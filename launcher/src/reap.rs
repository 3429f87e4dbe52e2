//! Ends everything below the calling process.
//!
//! The caller is a subreaper: whatever its descendants leave behind becomes its child, however often
//! they fork or call `setsid`. So a walk from here finds all of them, and there is nothing left exactly
//! when `wait` says that there are no children.

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus};

use crate::proc;

/// After so long without success the rest is out of reach: stuck in the kernel, or of another user.
const GIVE_UP: Duration = Duration::from_secs(30);

/// Kills and reaps until nothing is left, telling `reaped` of each child. `spared` are children from
/// before the job, which happens when a shell runs something in the background and then `exec`s hpvmrun.
pub fn everything(spared: &HashSet<i32>, mut reaped: impl FnMut(Pid, WaitStatus)) {
    let own = std::process::id() as i32;
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if children(spared, start, &mut reaped) {
            return;
        }
        let found = proc::descendants(own, spared);
        if found.is_empty() || start.elapsed() > GIVE_UP {
            ready(&mut reaped);
            return;
        }
        for process in found.iter().filter(|process| process.state != b'Z') {
            let _ = process.signal(Signal::KILL);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Kills children until no new ones come; true if there is none at all any more.
///
/// A program that forks and leaves, again and again, is gone from where a walk over all processes has seen it. But
/// each of its processes is an orphan and so a child of this one, and children are found and killed within
/// microseconds.
fn children(spared: &HashSet<i32>, start: Instant, reaped: &mut impl FnMut(Pid, WaitStatus)) -> bool {
    let mut killed = HashSet::new();
    loop {
        let none_left = ready(&mut |pid, status| {
            killed.remove(&pid.as_raw_pid());
            reaped(pid, status);
        });
        let mut found = proc::own_children();
        found.retain(|pid| !spared.contains(pid) && killed.insert(*pid));
        if none_left || found.is_empty() || start.elapsed() > GIVE_UP {
            return none_left;
        }
        for pid in found.into_iter().filter_map(Pid::from_raw) {
            // Only this process reaps it, so the number is still its own.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
        }
    }
}

/// Reaps what has ended by itself; true if there is no child at all any more.
pub fn ready(reaped: &mut impl FnMut(Pid, WaitStatus)) -> bool {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => reaped(pid, status),
            Ok(None) => return false,
            Err(Errno::INTR) => (),
            Err(_) => return true,
        }
    }
}

/// Sends a signal to everything below the calling process.
pub fn signal_all(signal: Signal) {
    for process in proc::descendants(std::process::id() as i32, &HashSet::new()) {
        if process.state != b'Z' {
            let _ = process.signal(signal);
        }
    }
}
