//! Faults on purpose, for tests: what this process sends is lost, doubled, overtaken or changed as a seed says, and fabrics are cut.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// How likely each fault is, in millionths of datagrams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Plan {
    pub seed: u64,
    pub lost: u32,
    pub doubled: u32,
    /// Sent after some of those that follow.
    pub late: u32,
    /// With 1 to 8 bits changed, anywhere.
    pub changed: u32,
}

impl Plan {
    /// `seed=7,lost=0.01,doubled=0.01,late=0.05,changed=0.001`: any of them, as parts of one.
    pub fn parse(text: &str) -> Result<Plan, String> {
        let mut plan = Plan::default();
        for word in text.split(',').filter(|word| !word.is_empty()) {
            let (name, value) = word.split_once('=').ok_or_else(|| format!("{word:?} is no NAME=VALUE"))?;
            let part = || {
                let share = value.parse::<f64>().ok().filter(|share| (0.0..=1.0).contains(share));
                share.map(|share| (share * 1e6) as u32).ok_or_else(|| format!("{value:?} is no part of one"))
            };
            match name {
                "seed" => plan.seed = value.parse().map_err(|_| format!("{value:?} is no seed"))?,
                "lost" => plan.lost = part()?,
                "doubled" => plan.doubled = part()?,
                "late" => plan.late = part()?,
                "changed" => plan.changed = part()?,
                _ => return Err(format!("{name:?} is no fault; there are: lost, doubled, late, changed, and seed")),
            }
        }
        Ok(plan)
    }
}

/// Whether either fabric is cut: nothing leaves by it, and what comes is dropped.
#[derive(Default)]
pub struct Cuts(pub [AtomicBool; 2]);

impl Cuts {
    pub fn is_cut(&self, fabric: usize) -> bool {
        self.0[fabric].load(Relaxed)
    }
}

/// What becomes of the datagrams to one process by one fabric.
pub struct Faults {
    plan: Plan,
    state: u64,
    /// A datagram that is late, and after how many others it goes.
    held: Option<(Vec<u8>, u32)>,
}

impl Faults {
    /// `stream` tells those of one process from others'.
    pub fn new(plan: Plan, stream: u64) -> Faults {
        Faults { plan, state: plan.seed.wrapping_add(stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)), held: None }
    }

    /// SplitMix64.
    fn random(&mut self, below: u32) -> u32 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.state;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ (word >> 31)) % u64::from(below.max(1))) as u32
    }

    fn happens(&mut self, millionths: u32) -> bool {
        self.random(1_000_000) < millionths
    }

    /// Sends a datagram by `send`, or something else.
    pub fn pass(&mut self, datagram: &[u8], send: &mut dyn FnMut(&[u8])) {
        let due = match &mut self.held {
            Some((_, 0)) => self.held.take().map(|(late, _)| late),
            Some((_, left)) => {
                *left -= 1;
                None
            }
            None => None,
        };
        if self.happens(self.plan.lost) {
            return due.iter().for_each(|late| send(late));
        }
        let times = if self.happens(self.plan.doubled) { 2 } else { 1 };
        for _ in 0..times {
            if self.happens(self.plan.changed) {
                let mut changed = datagram.to_vec();
                for _ in 0..=self.random(8) {
                    let bit = self.random(8 * changed.len() as u32) as usize;
                    changed[bit / 8] ^= 1 << (bit % 8);
                }
                send(&changed);
            } else if self.held.is_none() && self.happens(self.plan.late) {
                self.held = Some((datagram.to_vec(), self.random(8)));
            } else {
                send(datagram);
            }
        }
        due.iter().for_each(|late| send(late));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_as_frequent_as_asked_for_and_come_again_with_their_seed() {
        let plan = Plan::parse("seed=5,lost=0.01,doubled=0.02,late=0.05,changed=0.001").unwrap();
        let run = || {
            let (mut faults, mut seen) = (Faults::new(plan, 3), Vec::new());
            for number in 0..100_000u32 {
                faults.pass(&number.to_le_bytes(), &mut |bytes| seen.push(u32::from_le_bytes(bytes.try_into().unwrap())));
            }
            seen
        };
        let seen = run();
        assert_eq!(seen, run());
        let (mut times, mut late) = (vec![0u32; 100_000], 0);
        let mut before = 0;
        for number in &seen {
            if let Some(times) = times.get_mut(*number as usize) {
                *times += 1;
            }
            // One that was changed is anywhere.
            late += u32::from(*number < before && before - *number < 20);
            before = *number;
        }
        let (lost, doubled) = (times.iter().filter(|times| **times == 0).count(), times.iter().filter(|times| **times > 1).count());
        assert!((900..1300).contains(&lost) && (1700..2300).contains(&doubled), "{lost} {doubled}");
        assert!((2500..6000).contains(&late), "{late}");
        assert!(Plan::parse("lost=2").is_err() && Plan::parse("loss=0").is_err() && Plan::parse("lost").is_err());
    }
}
