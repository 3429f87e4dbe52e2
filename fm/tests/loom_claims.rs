//! Two processes that copy one body, under the model checker: no byte is touched by both, and none after its receiver has gone on.

use fm::claims::{Claims, Cut, End, Portion, Ticket, WORDS, Word};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicBool, AtomicU64};
use loom::thread;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

struct LoomWord(AtomicU64);

impl Word for LoomWord {
    fn load(&self) -> u64 {
        self.0.load(Acquire)
    }
    fn exchange(&self, old: u64, new: u64) -> bool {
        self.0.compare_exchange(old, new, AcqRel, Relaxed).is_ok()
    }
}

const UNITS: usize = 4;
const UNIT: u64 = 16 << 10;

struct Job {
    words: [LoomWord; WORDS],
    /// Who copied each unit. Loom reports accesses that overlap or that no order separates.
    units: [UnsafeCell<u8>; UNITS],
    /// The sender's answer.
    helped: AtomicBool,
}

impl Job {
    fn copy(&self, portion: &Portion, who: u8) {
        for unit in portion.bytes.start / UNIT..portion.bytes.end.div_ceil(UNIT) {
            // SAFETY: what loom is here to check.
            self.units[unit as usize].with_mut(|to| unsafe { *to += who });
        }
    }

    /// Copies what it gets from this end; whether that was anything.
    fn take_all(&self, ticket: Ticket, end: End, who: u8) -> bool {
        let mut any = false;
        while let Some(portion) = Claims(&self.words).take(ticket, Cut::of(UNITS as u64 * UNIT), end, UNIT) {
            self.copy(&portion, who);
            any = true;
        }
        any
    }
}

#[test]
fn every_unit_is_copied_once() {
    loom::model(|| {
        let job = Arc::new(Job {
            words: std::array::from_fn(|_| LoomWord(AtomicU64::new(0))),
            units: std::array::from_fn(|_| UnsafeCell::new(0)),
            helped: AtomicBool::new(false),
        });
        let ticket = Claims(&job.words).open(0);
        let sender = thread::spawn({
            let job = job.clone();
            move || {
                if job.take_all(ticket, End::Back, 2) {
                    job.helped.store(true, Release);
                }
            }
        });
        job.take_all(ticket, End::Front, 1);
        if Claims(&job.words).close(ticket, End::Back) > 0 {
            while !job.helped.load(Acquire) {
                thread::yield_now();
            }
        }
        // The program has its buffer back, whether the sender has noticed or not.
        for unit in &job.units {
            // SAFETY: as above.
            let who = unit.with_mut(|who| unsafe { std::mem::replace(&mut *who, 9) });
            assert!(who == 1 || who == 2);
        }
        sender.join().unwrap();
    });
}
