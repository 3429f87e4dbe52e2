//! Several threads of a process go to sleep and are woken in the worst order.

use fm::{Park, Peer, Threading};
use hpvm_smp::Smp;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// A round in which every way of waiting sleeps.
const LATE: u32 = u32::MAX;

#[test]
fn a_thread_that_is_woken_before_it_sleeps_does_not_sleep_for_another_one() {
    let memory = Smp::memory().unwrap();
    let smp = Smp::attach(memory.as_fd(), 0, &[Peer(0), Peer(1)], Threading::Multiple).unwrap();
    let park = Arc::new(smp.park(1));
    let (returned, has_returned) = channel();
    let (looking, looks) = channel();
    let first = park.clone();
    thread::spawn(move || {
        let second = first.clone();
        first.idle(LATE, &|| {
            // What this thread waits for comes right after its last look; then another thread goes to sleep.
            second.wake();
            let (second, looking) = (second.clone(), looking.clone());
            thread::spawn(move || {
                second.idle(LATE, &|| {
                    looking.send(()).unwrap();
                    false
                })
            });
            looks.recv().unwrap();
            false
        });
        returned.send(()).unwrap();
    });
    let result = has_returned.recv_timeout(Duration::from_secs(20));
    park.wake();
    assert!(result.is_ok(), "the first thread sleeps though it was woken");
}
