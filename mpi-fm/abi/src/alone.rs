//! What a process without peers stands on: no network, and nobody who could wake it but its own threads.

use fm::device::{Inbox, Link};
use fm::{Device, Header, Park, Peer};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// A device that reaches nobody. Messages to self never enter a device.
pub struct Nobody;

impl Device for Nobody {
    fn name(&self) -> &'static str {
        "none"
    }

    fn max_packet(&self) -> usize {
        4096
    }

    fn credits(&self) -> Option<u16> {
        None
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        unreachable!("a process without peers sends to {to:?}")
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(Nobody)
    }
}

impl Inbox for Nobody {
    fn poll(&mut self, _: usize, _: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        0
    }

    fn arrived(&self) -> bool {
        false
    }
}

/// Waits for the process's other threads.
#[derive(Default)]
pub struct Threads {
    lock: Mutex<()>,
    woken: Condvar,
}

impl Park for Threads {
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool) {
        if round < 100 {
            std::hint::spin_loop();
            return;
        }
        let guard = self.lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if !arrived() {
            // The limit covers a wake-up just before the wait.
            drop(self.woken.wait_timeout(guard, Duration::from_millis(1)));
        }
    }

    fn wake(&self) {
        self.woken.notify_all();
    }
}
