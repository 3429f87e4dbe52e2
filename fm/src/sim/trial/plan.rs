//! What a seed decides beforehand.

use super::super::Random;
use crate::reliability::{OVERHEAD, PATHS_MAX};

/// Largest message in bytes, and the frame that carries it.
pub(super) const MESSAGE_MAX: usize = 600;
pub(super) const FRAME_MAX: usize = MESSAGE_MAX + OVERHEAD;

pub(super) struct Plan {
    pub(super) paths: Vec<PathPlan>,
    pub(super) window: u32,
    pub(super) give_up_ns: u64,
    /// Processes know each other's incarnation when they start.
    pub(super) introduced: bool,
    /// Messages of each process.
    pub(super) messages: [u64; 2],
    pub(super) faults: Vec<Fault>,
    pub(super) faults_end_ns: u64,
}

/// A path in both directions.
#[derive(Clone)]
pub(super) struct PathPlan {
    /// Bytes a second; 0 for without end.
    pub(super) rate: u64,
    pub(super) delay_ns: u64,
    pub(super) queue: u64,
    /// Delay that is different for each frame, without reordering and with.
    pub(super) jitter_ns: u64,
    pub(super) noise: Noise,
}

/// What happens to frames, in ten thousand.
#[derive(Clone, Copy, Default)]
pub(super) struct Noise {
    pub(super) lost: u64,
    pub(super) repeated: u64,
    pub(super) reordered: u64,
    pub(super) garbled: u64,
}

pub(super) struct Fault {
    pub(super) begin_ns: u64,
    pub(super) end_ns: u64,
    pub(super) what: What,
}

#[derive(Clone, Copy)]
pub(super) enum What {
    /// Nothing gets through on a path from these processes.
    Cut { path: usize, from: [bool; 2] },
    /// Nothing gets through at all.
    Apart,
    Storm { path: usize, noise: Noise },
    /// A path takes this part of its rate, or a rate if it had no limit.
    Slow { path: usize, rate: u64 },
    /// A process takes nothing that waits.
    Hold { process: usize },
    /// A process does nothing.
    Pause { process: usize },
    /// A process ends; another one takes its place.
    Crash { process: usize },
}

/// Faults begin within this time at most.
const FAULTS_NS_MAX: u64 = 100_000_000;

impl Plan {
    pub(super) fn draw(random: &mut Random) -> Plan {
        let mut pick = |from: &[u64]| from[random.below(from.len() as u64) as usize];
        let paths = pick(&[1, 1, 2, 2, 2, 3, PATHS_MAX as u64]);
        let window = pick(&[8, 64, 512, 1024]) as u32;
        let give_up_ns = pick(&[u64::MAX, u64::MAX, 300_000_000]);
        let introduced = pick(&[0, 1]) == 1;
        let total = 1000 + random.below(400);
        let share = random.below(total + 1);
        let span_ns = 5_000_000 + random.below(FAULTS_NS_MAX);
        let mut plan = Plan {
            paths: (0..paths).map(|_| PathPlan::draw(random)).collect(),
            window,
            give_up_ns,
            introduced,
            messages: [share, total - share],
            faults: Vec::new(),
            faults_end_ns: 0,
        };
        for _ in 0..3 + random.below(5) {
            let begin_ns = random.below(span_ns);
            let end_ns = begin_ns + 1 + random.any_size(26);
            let what = What::draw(random, paths);
            plan.faults_end_ns = plan.faults_end_ns.max(end_ns);
            // The first path comes back; others need not.
            let is_for_ever = matches!(what, What::Cut { path, .. } if path > 0) && random.below(4) == 0;
            plan.faults.push(Fault { begin_ns, end_ns: if is_for_ever { u64::MAX } else { end_ns }, what });
        }
        plan
    }
}

impl PathPlan {
    fn draw(random: &mut Random) -> PathPlan {
        let mut pick = |from: &[u64]| from[random.below(from.len() as u64) as usize];
        PathPlan {
            rate: pick(&[0, 1_000_000, 10_000_000, 125_000_000, 1_250_000_000]),
            delay_ns: pick(&[1_000, 10_000, 100_000, 1_000_000]),
            queue: pick(&[5_000, 50_000, 500_000]),
            jitter_ns: pick(&[0, 1_000, 20_000, 200_000]),
            noise: Noise::draw(random, 100),
        }
    }
}

impl Noise {
    /// Up to `lost` of ten thousand.
    fn draw(random: &mut Random, lost: u64) -> Noise {
        let mut some = |most: u64| if random.below(2) == 0 { 0 } else { random.below(most + 1) };
        Noise { lost: some(lost), repeated: some(200), reordered: some(1000), garbled: some(100) }
    }
}

impl What {
    fn draw(random: &mut Random, paths: u64) -> What {
        let path = random.below(paths) as usize;
        let process = random.below(2) as usize;
        match random.below(16) {
            0..=4 => {
                let way = 1 + random.below(3);
                What::Cut { path, from: [way & 1 == 1, way & 2 == 2] }
            }
            5 => What::Apart,
            6..=8 => {
                let noise = Noise { garbled: random.below(3000), reordered: random.below(10_000), ..Noise::draw(random, 6000) };
                What::Storm { path, noise }
            }
            9..=10 => What::Slow { path, rate: 100_000 + random.any_size(24) },
            11..=12 => What::Hold { process },
            13 => What::Pause { process },
            _ => What::Crash { process },
        }
    }
}
