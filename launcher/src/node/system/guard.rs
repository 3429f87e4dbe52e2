//! The guard of a context: stands between the daemon and the process that becomes a user's, and leaves when nothing is below it any more.
//!
//! What a job leaves behind when its `hpvmd` and its keepers are killed would come to the daemon, which has other things to do than to run after
//! programs that fork for ever. So it comes to the guard. It is a subreaper as the keepers are, but root's: no user can kill it. The daemon ends it, and all
//! below it, with SIGTERM, which the kernel sends by itself when the daemon dies.

use std::collections::HashSet;
use std::os::fd::AsFd as _;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::keeper::{SURVIVOR_MAX, wait_for};
use crate::sys::{self, SignalFd, account};
use crate::{exit, reap};

/// Between two attempts to end what cannot be ended: it hangs in a file system.
const AGAIN: Duration = Duration::from_secs(1);

/// A forked child's life as a guard; `ward` is the life of what it stands over.
pub fn run(daemon: Pid, ward: impl FnOnce()) -> ! {
    let _ = rustix::thread::set_name(c"hpvm-guard");
    let _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    // A daemon that died before the line above sends nothing any more.
    if rustix::process::getppid() == Some(daemon) {
        match sys::fork() {
            Ok(None) => ward(),
            Ok(Some(child)) => watch(child),
            // The daemon sees the link end.
            Err(_) => (),
        }
    }
    account::leave(exit::LAUNCH)
}

fn watch(ward: Pid) {
    // The caller is to notice when the ward is gone, and other callers are no business of its.
    account::keep_only(&mut []);
    let mut ward_lives = true;
    // Without it nothing can be waited for; blocked they are since before the fork.
    if let Ok(signals) = SignalFd::new(&[libc::SIGCHLD, libc::SIGTERM]) {
        let mut told = false;
        while ward_lives && !told {
            wait_for(&[signals.as_fd()], None, None);
            told = std::iter::from_fn(|| signals.next()).any(|number| number == libc::SIGTERM);
            reap::ready(&mut |pid, _| ward_lives &= pid != ward);
        }
        if ward_lives {
            let _ = rustix::process::kill_process(ward, Signal::KILL);
        }
        leave_to_keepers(&signals, &mut |pid| ward_lives &= pid != ward);
    }
    loop {
        reap::everything(&HashSet::new(), |pid, _| ward_lives &= pid != ward);
        // A place is not free while there is still somebody in it. Strays that cannot be ended come to the daemon.
        if !ward_lives {
            return;
        }
        thread::sleep(AGAIN);
    }
}

/// The ward's keepers have seen it end, and are at work.
fn leave_to_keepers(signals: &SignalFd, reaped: &mut impl FnMut(Pid)) {
    let until = Instant::now() + SURVIVOR_MAX;
    while !reap::ready(&mut |pid, _| reaped(pid)) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        wait_for(&[signals.as_fd()], None, Some(left));
        while signals.next().is_some() {}
    }
}
