//! How fast to send on a path, and how much may be on its way: a model of the path after BBR (draft-ietf-ccwg-bbr).
//!
//! The model is the greatest rate at which packets have arrived, and the least round trip. Losses are no part of it: who loses a packet in a hundred to noise
//! goes on as before. A path is filled once ([`Phase::Startup`]); from then on it is sent at its rate, now and then a little faster to see whether there is more, and
//! then slower to let go of the queue that may have made. A queue that stays is taken for somebody else's share: see `Control::gain`.

use super::delivery::Sample;

/// What is being tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// The rate doubles with each round trip.
    Startup,
    /// The queue that made goes.
    Drain,
    Cruise,
    /// A little faster, for a round trip.
    Raise,
    /// A little slower, until the queue is gone.
    Lower,
    /// Next to nothing on the way, to see the least round trip.
    Empty,
}

/// Rates in percent of the model's.
const STARTUP: u64 = 277;
const DRAIN: u64 = 50;
const RAISE: u64 = 125;
const LOWER: u64 = 75;
const CRUISE: u64 = 100;
const CRUISE_BEHIND_A_QUEUE: u64 = 90;

/// What may be on its way, in percent of rate times round trip; and besides, what the rate brings in a time for which a process may be late
/// to answer, or to send.
const WINDOW: u64 = 125;
const WINDOW_STARTUP: u64 = 277;
const LATE_NS: u64 = 100_000;

/// However long a round trip takes, so much may leave at once.
const BURST_NS_MAX: u64 = 1_000_000;

/// Frames that may always be on their way; while the path is emptied; and before anything is known.
const FRAMES_MIN: u64 = 16;
const FRAMES_EMPTY: u64 = 4;
const FRAMES_FIRST: u64 = 32;

/// Rounds in which the rate has not grown by a quarter, after which the path is full.
const FULL_ROUNDS: u32 = 3;

/// The least round trip is looked for again when it was not seen for so many of them, within limits.
const LEAST_LIFE: u64 = 200;
const LEAST_LIFE_NS: std::ops::RangeInclusive<u64> = 50_000_000..=5_000_000_000;

/// Round trips between two rises of the rate: this many, and up to as many again.
const CRUISE_ROUNDS: u64 = 4;

pub(super) struct Control {
    phase: Phase,
    /// When it began, and when it ends if nothing ends it before.
    began_ns: u64,
    until_ns: u64,
    /// Greatest rate since the last rise began, and in the time before that.
    best: [u64; 2],
    /// Samples of this time were limited by the path, not by the process.
    has_seen_path: bool,
    /// A round ends when this much has arrived.
    round_end: u64,
    /// Least round trip of this round, and of the last one.
    round_least_ns: u64,
    queued_ns: u64,
    /// Rate when it last grew by a quarter, and rounds since.
    grown: (u64, u32),
    least_ns: u64,
    least_at_ns: u64,
    /// Largest frame so far.
    frame: u64,
    random: u64,
}

impl Control {
    /// `random` tells flows apart that would otherwise raise their rates together.
    pub(super) const fn new(random: u64) -> Control {
        Control {
            phase: Phase::Startup,
            began_ns: 0,
            until_ns: 0,
            best: [0; 2],
            has_seen_path: false,
            round_end: 0,
            round_least_ns: u64::MAX,
            queued_ns: 0,
            grown: (0, 0),
            least_ns: u64::MAX,
            least_at_ns: 0,
            frame: 0,
            random,
        }
    }

    /// Of a path, in bytes a second; 0 while nothing is known.
    pub(super) fn rate(&self) -> u64 {
        self.best[0].max(self.best[1])
    }

    pub(super) fn least_ns(&self) -> u64 {
        self.least_ns
    }

    /// A frame of so many bytes is sent.
    pub(super) fn sent(&mut self, bytes: u64) {
        self.frame = self.frame.max(bytes);
    }

    /// How long a frame of so many bytes holds up the next one.
    pub(super) fn pace_ns(&self, bytes: u64) -> u64 {
        match self.rate() * self.gain() / 100 {
            0 => 0,
            rate => bytes * 1_000_000_000 / rate,
        }
    }

    /// What a process has not sent for so long, because it was not asked to, may leave at once afterwards.
    pub(super) fn burst_ns(&self) -> u64 {
        (self.least_ns / 8).clamp(LATE_NS, BURST_NS_MAX)
    }

    fn gain(&self) -> u64 {
        match self.phase {
            Phase::Startup => STARTUP,
            Phase::Drain => DRAIN,
            Phase::Raise => RAISE,
            Phase::Lower => LOWER,
            Phase::Cruise if self.is_queued() => CRUISE_BEHIND_A_QUEUE,
            Phase::Cruise | Phase::Empty => CRUISE,
        }
    }

    /// Not one packet of the last round went through without waiting.
    fn is_queued(&self) -> bool {
        self.queued_ns > self.least_ns / 8 + LATE_NS / 2
    }

    /// The least round trip, or something for it while none was measured.
    fn trip_ns(&self) -> u64 {
        if self.least_ns == u64::MAX { LATE_NS } else { self.least_ns }
    }

    /// Bytes that the path holds when it is full and nothing waits.
    fn content(&self) -> u64 {
        if self.least_ns == u64::MAX { 0 } else { bytes_in(self.rate(), self.least_ns) }
    }

    /// Bytes that may be on their way.
    pub(super) fn window(&self) -> u64 {
        let frame = self.frame.max(1);
        if self.rate() == 0 {
            return FRAMES_FIRST * frame;
        }
        match self.phase {
            Phase::Empty => (self.content() / 2).max(FRAMES_EMPTY * frame),
            Phase::Startup => (self.content() * WINDOW_STARTUP / 100).max(FRAMES_FIRST * frame),
            _ => (self.content() * WINDOW / 100 + bytes_in(self.rate(), LATE_NS)).max(FRAMES_MIN * frame),
        }
    }

    /// An acknowledgement has come, `in_flight` bytes are still on their way. `trip_ns` is a round trip that it has measured.
    pub(super) fn acknowledged(&mut self, now_ns: u64, sample: Sample, trip_ns: Option<u64>, in_flight: u64) {
        if let Some(trip_ns) = trip_ns {
            self.round_least_ns = self.round_least_ns.min(trip_ns);
            self.see_trip(now_ns, trip_ns);
        }
        if let Some(rate) = sample.rate
            && (!sample.is_limited || rate > self.rate())
        {
            self.best[0] = self.best[0].max(rate);
            self.has_seen_path |= !sample.is_limited;
        }
        let new_round = sample.delivered_then >= self.round_end;
        if new_round {
            self.round_end = sample.delivered;
            if self.round_least_ns != u64::MAX {
                self.queued_ns = self.round_least_ns.saturating_sub(self.least_ns);
            }
            self.round_least_ns = u64::MAX;
        }
        self.step(now_ns, new_round && !sample.is_limited, in_flight);
    }

    fn see_trip(&mut self, now_ns: u64, trip_ns: u64) {
        // Not if it is merely close: behind a queue that stays, that would be so for ever. Flows that share a link see the least at the same
        // time, when one of them has emptied it, and so come to empty it together.
        if trip_ns <= self.least_ns {
            self.least_ns = trip_ns;
            self.least_at_ns = now_ns;
        }
    }

    /// Whether the phase is over, and what comes next.
    fn step(&mut self, now_ns: u64, new_round: bool, in_flight: u64) {
        let is_over = now_ns >= self.until_ns;
        let is_full = self.phase == Phase::Startup && new_round && self.is_full();
        match self.phase {
            Phase::Startup if is_full => self.begin(now_ns, Phase::Drain, 4 * self.trip_ns()),
            Phase::Startup => {}
            Phase::Drain | Phase::Lower if in_flight <= self.content() || is_over => self.cruise(now_ns),
            Phase::Raise if is_over || in_flight >= self.content() * RAISE / 100 && now_ns >= self.began_ns + self.trip_ns() => {
                self.begin(now_ns, Phase::Lower, 2 * self.trip_ns());
            }
            Phase::Empty if is_over => self.cruise(now_ns),
            Phase::Cruise if now_ns >= self.least_at_ns + self.least_life_ns() => {
                self.begin(now_ns, Phase::Empty, 3 * self.trip_ns());
                // What is seen from here on.
                self.least_ns = u64::MAX;
                self.least_at_ns = now_ns;
            }
            Phase::Cruise if is_over => {
                if self.has_seen_path {
                    self.best = [0, self.best[0]];
                    self.has_seen_path = false;
                }
                self.begin(now_ns, Phase::Raise, 2 * self.trip_ns());
            }
            _ => {}
        }
    }

    fn least_life_ns(&self) -> u64 {
        self.least_ns.saturating_mul(LEAST_LIFE).clamp(*LEAST_LIFE_NS.start(), *LEAST_LIFE_NS.end())
    }

    /// The rate grows no more, or a queue does.
    fn is_full(&mut self) -> bool {
        let (rate, rounds) = self.grown;
        self.grown = if self.rate() >= rate + rate / 4 { (self.rate(), 0) } else { (rate, rounds + 1) };
        self.grown.1 >= FULL_ROUNDS || self.is_queued()
    }

    fn begin(&mut self, now_ns: u64, phase: Phase, at_most_ns: u64) {
        self.phase = phase;
        self.began_ns = now_ns;
        self.until_ns = now_ns.saturating_add(at_most_ns);
    }

    fn cruise(&mut self, now_ns: u64) {
        // Knuth's linear generator (MMIX).
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let rounds = CRUISE_ROUNDS + (self.random >> 33) % (CRUISE_ROUNDS + 1);
        self.begin(now_ns, Phase::Cruise, rounds * self.trip_ns().max(LATE_NS));
    }
}

/// What a rate brings in a time.
fn bytes_in(rate: u64, ns: u64) -> u64 {
    (u128::from(rate) * u128::from(ns) / 1_000_000_000) as u64
}
