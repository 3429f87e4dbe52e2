//! One path to a peer: how it is, and the packets that are on their way over it.

use super::control::Control;
use super::delivery::{Delivery, Stamp};
use super::round_trip::{RoundTrip, TIMEOUT_MAX_NS};

pub(super) struct PathState {
    pub(super) trip: RoundTrip,
    pub(super) control: Control,
    delivery: Delivery,
    pub(super) health: Health,
    /// Of packets on their way: the one sent first, the one sent last, and bytes of all.
    pub(super) first: Option<u32>,
    pub(super) last: Option<u32>,
    pub(super) in_flight: u64,
    /// Of the packets that have arrived: when the one sent last was sent, and its round trip.
    newest_ns: u64,
    newest_trip_ns: u64,
    /// When something was heard that shows that the path carries.
    pub(super) heard_ns: u64,
    /// Time-outs in a row, and the first and the last of them.
    pub(super) timeouts: u32,
    silent_ns: u64,
    timeout_ns: u64,
    /// When the next frame may leave.
    next_ns: u64,
    /// Round trip that the acknowledgement being taken in has measured.
    trip_ns: Option<u64>,
}

/// Whether a path carries packets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Health {
    Up,
    /// It has owed an answer for too long. `probe_ns`: when it is asked again; `interval_ns`: how long an answer may take then.
    Down { probe_ns: u64, interval_ns: u64 },
}

/// A packet's last transmission.
#[derive(Clone, Copy, Default)]
pub(super) struct Sent {
    pub(super) at_ns: u64,
    pub(super) bytes: u32,
    pub(super) path: u8,
    /// How often the packet was sent.
    pub(super) times: u32,
    stamp: Stamp,
}

/// Time-outs in a row after which a path is down.
pub(super) const TIMEOUTS_MAX: u32 = 2;

impl PathState {
    pub(super) const fn new(random: u64, delivery: Delivery) -> PathState {
        PathState {
            trip: RoundTrip::new(),
            control: Control::new(random),
            delivery,
            health: Health::Up,
            first: None,
            last: None,
            in_flight: 0,
            newest_ns: 0,
            newest_trip_ns: 0,
            heard_ns: 0,
            timeouts: 0,
            silent_ns: 0,
            timeout_ns: 0,
            next_ns: 0,
            trip_ns: None,
        }
    }

    pub(super) fn is_up(&self) -> bool {
        self.health == Health::Up
    }

    /// Whether the model lets `bytes` more be on their way.
    pub(super) fn has_window(&self, bytes: u64) -> bool {
        self.in_flight == 0 || self.in_flight + bytes <= self.control.window()
    }

    /// When the next frame may leave.
    pub(super) fn next_ns(&self) -> u64 {
        self.next_ns
    }

    /// What a packet that is sent now takes until it has arrived, about. A path that owes an answer is worse than any that does not.
    pub(super) fn cost_ns(&self) -> u64 {
        let queue_ns = match self.control.rate() {
            0 => 0,
            rate => self.in_flight * 1_000_000_000 / rate,
        };
        self.trip.smooth_ns().unwrap_or(0) / 2 + queue_ns + u64::from(self.timeouts) * TIMEOUT_MAX_NS
    }

    /// A frame with a packet of `bytes` leaves: counts it, and paces the next one.
    pub(super) fn send(&mut self, now_ns: u64, bytes: u32, path: u8, times: u32) -> Sent {
        self.control.sent(bytes.into());
        let stamp = self.delivery.sent(now_ns, self.in_flight == 0);
        self.in_flight += u64::from(bytes);
        self.next_ns = self.next_ns.max(now_ns.saturating_sub(self.control.burst_ns())) + self.control.pace_ns(bytes.into());
        Sent { at_ns: now_ns, bytes, path, times, stamp }
    }

    /// Nothing is left to send.
    pub(super) fn is_limited(&mut self) {
        if self.in_flight < self.control.window() {
            self.delivery.is_limited(self.in_flight);
        }
    }

    /// A packet sent on this path has been acknowledged, and is no longer on its way. Of one that was sent twice nobody knows which one is acknowledged (Karn's
    /// rule), unless the answer would have come too soon.
    pub(super) fn acknowledged(&mut self, now_ns: u64, sent: &Sent) {
        let took_ns = now_ns.saturating_sub(sent.at_ns);
        if sent.times == 1 {
            self.trip.measured(took_ns);
            self.trip_ns = Some(self.trip_ns.map_or(took_ns, |least_ns| least_ns.min(took_ns)));
        } else if !self.trip.is_possible(took_ns) {
            return;
        }
        self.delivery.acknowledged(now_ns, sent.bytes.into(), sent.at_ns, sent.stamp);
        self.saw(now_ns, sent.at_ns);
    }

    /// A frame that was sent at `sent_ns` has been answered.
    pub(super) fn saw(&mut self, now_ns: u64, sent_ns: u64) {
        if sent_ns >= self.newest_ns {
            self.newest_ns = sent_ns;
            self.newest_trip_ns = now_ns.saturating_sub(sent_ns);
        }
        self.heard_ns = now_ns;
        self.timeouts = 0;
        self.health = Health::Up;
    }

    /// An acknowledgement has been taken in whole.
    pub(super) fn settle(&mut self, now_ns: u64) {
        let trip_ns = self.trip_ns.take();
        if let Some(sample) = self.delivery.sample(self.control.least_ns()) {
            self.control.acknowledged(now_ns, sample, trip_ns, self.in_flight);
        }
    }

    /// When a packet sent at `sent_ns` is lost: one that was sent later has arrived, and it has not for long enough (RFC 8985, section 6.2).
    pub(super) fn lost_ns(&self, sent_ns: u64) -> Option<u64> {
        (sent_ns < self.newest_ns).then(|| sent_ns + self.newest_trip_ns + self.trip.reordering_ns())
    }

    /// When the path has owed an answer for too long, if its oldest packet was sent at `first_ns`.
    pub(super) fn overdue_ns(&self, first_ns: u64) -> u64 {
        let wait_ns = (self.trip.timeout_ns() << self.timeouts.min(8)).min(TIMEOUT_MAX_NS);
        first_ns.max(self.heard_ns).max(self.timeout_ns) + wait_ns
    }

    /// It has.
    pub(super) fn timed_out(&mut self, now_ns: u64) {
        if self.timeouts == 0 {
            self.silent_ns = now_ns;
        }
        self.timeouts += 1;
        self.timeout_ns = now_ns;
        if self.timeouts >= TIMEOUTS_MAX {
            self.health = Health::Down { probe_ns: now_ns, interval_ns: self.trip.timeout_ns() };
        }
    }

    /// It has been heard since `other` had its first time-out: the peer is there, and its answers get through.
    pub(super) fn outlives(&self, other: &PathState) -> bool {
        self.is_up() && self.heard_ns > other.silent_ns
    }

    /// When it is to be probed.
    pub(super) fn probe_ns(&self) -> Option<u64> {
        match self.health {
            Health::Up => None,
            Health::Down { probe_ns, .. } => Some(probe_ns),
        }
    }

    /// Whether it is to be probed now; then the next time is later.
    pub(super) fn probes(&mut self, now_ns: u64) -> bool {
        match &mut self.health {
            Health::Down { probe_ns, interval_ns, .. } if *probe_ns <= now_ns => {
                *probe_ns = now_ns + *interval_ns;
                *interval_ns = (2 * *interval_ns).min(TIMEOUT_MAX_NS);
                true
            }
            _ => false,
        }
    }
}
