//! The network between two processes, and what it and they suffer.

use super::super::Random;
use super::super::flight::Flight;
use super::super::wire::Wire;
use super::plan::{Fault, Noise, PathPlan, Plan, What};
use crate::reliability::Path;

pub(super) struct Network {
    random: Random,
    paths: Vec<PathPlan>,
    /// By path, from each process.
    wires: Vec<[Wire; 2]>,
    faults: Vec<FaultState>,
    flight: Flight,
    pub(super) frames: u64,
}

struct FaultState {
    begin_ns: u64,
    end_ns: u64,
    what: What,
}

/// Whether a process does something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    No,
    Paused { until_ns: u64 },
    Crashed,
}

/// A frame that comes much too late comes up to so much too late.
const LATE_NS: u64 = 1_000_000_000;

impl Network {
    pub(super) fn new(plan: &Plan, random: Random) -> Network {
        let wire = |path: &PathPlan| Wire::new(path.rate, path.delay_ns, path.queue);
        let state = |fault: &Fault| FaultState { begin_ns: fault.begin_ns, end_ns: fault.end_ns, what: fault.what };
        Network {
            random,
            wires: plan.paths.iter().map(|path| [wire(path), wire(path)]).collect(),
            paths: plan.paths.clone(),
            faults: plan.faults.iter().map(state).collect(),
            flight: Flight::default(),
            frames: 0,
        }
    }

    fn now(&self, now_ns: u64) -> impl Iterator<Item = &FaultState> {
        self.faults.iter().filter(move |fault| (fault.begin_ns..fault.end_ns).contains(&now_ns))
    }

    pub(super) fn stopped(&self, process: usize, now_ns: u64) -> Stop {
        let mut stop = Stop::No;
        for fault in self.now(now_ns) {
            match fault.what {
                What::Crash { process: it } if it == process => return Stop::Crashed,
                What::Pause { process: it } if it == process => stop = Stop::Paused { until_ns: fault.end_ns },
                _ => {}
            }
        }
        stop
    }

    /// Until when a process takes nothing.
    pub(super) fn holds_ns(&self, process: usize, now_ns: u64) -> Option<u64> {
        let of_it = self.now(now_ns).filter(|fault| matches!(fault.what, What::Hold { process: it } if it == process));
        of_it.map(|fault| fault.end_ns).max()
    }

    /// When a process that is down is there again.
    pub(super) fn restart_ns(&self, process: usize, now_ns: u64) -> u64 {
        let of_it = self.now(now_ns).filter(|fault| matches!(fault.what, What::Crash { process: it } if it == process));
        of_it.map(|fault| fault.end_ns).max().unwrap_or(now_ns)
    }

    pub(super) fn send(&mut self, now_ns: u64, from: usize, path: Path, frame: &[u8]) {
        self.frames += 1;
        let index = path.index();
        let (mut noise, mut rate, mut cut) = (self.paths[index].noise, self.paths[index].rate, false);
        for fault in self.now(now_ns) {
            match fault.what {
                What::Cut { path, from: cuts } if path == index => cut |= cuts[from],
                What::Apart => cut = true,
                What::Storm { path, noise: storm } if path == index => noise = storm,
                What::Slow { path, rate: slow } if path == index => rate = slow,
                _ => {}
            }
        }
        let wire = &mut self.wires[index][from];
        wire.rate = rate;
        let Some(at_ns) = wire.send(now_ns, frame.len() as u64) else { return };
        if !cut {
            self.carry(at_ns, from, index, noise, frame);
        }
    }

    fn carry(&mut self, at_ns: u64, from: usize, path: usize, noise: Noise, frame: &[u8]) {
        let random = &mut self.random;
        let mut happens = |often: u64| random.below(10_000) < often;
        if happens(noise.lost) {
            return;
        }
        let copies = 1 + u64::from(happens(noise.repeated));
        let (is_late, garbled) = (happens(5), happens(noise.garbled));
        let overtakes = happens(noise.reordered);
        for copy in 0..copies {
            // Without reordering, frames wait for each other: all by the same time.
            let jitter_ns = self.paths[path].jitter_ns;
            let mut at_ns = at_ns + if overtakes { self.random.below(4 * jitter_ns + 1) } else { jitter_ns };
            if is_late && copy + 1 == copies {
                at_ns += self.random.below(LATE_NS);
            }
            let bytes = self.flight.send(at_ns, from ^ 1, frame);
            if garbled {
                for _ in 0..=self.random.below(8) {
                    let bit = self.random.below(8 * bytes.len() as u64) as usize;
                    bytes[bit / 8] ^= 1 << (bit % 8);
                }
            }
        }
    }

    /// A frame that has come to a process that does nothing.
    pub(super) fn keep(&mut self, until_ns: u64, process: usize, frame: &[u8]) {
        self.flight.send(until_ns, process, frame);
    }

    pub(super) fn next_ns(&self) -> Option<u64> {
        self.flight.next_ns()
    }

    pub(super) fn arrived(&mut self, now_ns: u64) -> Option<(usize, Vec<u8>)> {
        self.flight.arrived(now_ns)
    }

    pub(super) fn give_back(&mut self, frame: Vec<u8>) {
        self.flight.give_back(frame);
    }
}
