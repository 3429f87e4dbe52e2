//! How long an acknowledgement takes (RFC 6298).

/// Limits of the retransmission time-out, in nanoseconds.
const TIMEOUT_MIN_NS: u64 = 100_000;
const TIMEOUT_MAX_NS: u64 = 200_000_000;
/// Before anything was measured.
const TIMEOUT_FIRST_NS: u64 = 2_000_000;

/// Time-outs in a row double the wait, up to this many times.
const DOUBLINGS_MAX: u32 = 6;

pub(super) struct RoundTrip {
    /// Smoothed time and its mean deviation, once something was measured.
    estimate_ns: Option<(u64, u64)>,
    least_ns: u64,
    doublings: u32,
}

impl RoundTrip {
    pub(super) const fn new() -> Self {
        RoundTrip { estimate_ns: None, least_ns: u64::MAX, doublings: 0 }
    }

    /// A packet that was sent once has been acknowledged after `ns`.
    pub(super) fn measured(&mut self, ns: u64) {
        self.doublings = 0;
        self.least_ns = self.least_ns.min(ns);
        self.estimate_ns = Some(match self.estimate_ns {
            None => (ns, ns / 2),
            Some((smooth, deviation)) => ((7 * smooth + ns) / 8, (3 * deviation + smooth.abs_diff(ns)) / 4),
        });
    }

    pub(super) fn timed_out(&mut self) {
        self.doublings = (self.doublings + 1).min(DOUBLINGS_MAX);
    }

    /// Whether an acknowledgement can have come after `ns`.
    pub(super) fn is_possible(&self, ns: u64) -> bool {
        ns >= self.least_ns
    }

    /// After so long without an acknowledgement a packet is sent again.
    pub(super) fn timeout_ns(&self) -> u64 {
        let base = self.estimate_ns.map_or(TIMEOUT_FIRST_NS, |(smooth, deviation)| smooth + 4 * deviation);
        (base.clamp(TIMEOUT_MIN_NS, TIMEOUT_MAX_NS) << self.doublings).min(TIMEOUT_MAX_NS)
    }

    /// By so much a packet may overtake another without the other being lost.
    pub(super) fn reordering_ns(&self) -> u64 {
        self.estimate_ns.map_or(TIMEOUT_FIRST_NS, |(smooth, _)| smooth / 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_out_follows_what_is_measured() {
        let mut trip = RoundTrip::new();
        assert_eq!(trip.timeout_ns(), TIMEOUT_FIRST_NS);
        (0..100).for_each(|_| trip.measured(1_000_000));
        assert!((1_000_000..1_100_000).contains(&trip.timeout_ns()), "{}", trip.timeout_ns());
        trip.timed_out();
        trip.timed_out();
        assert!(trip.timeout_ns() >= 4_000_000);
        (0..1000).for_each(|_| trip.timed_out());
        assert!(trip.timeout_ns() <= TIMEOUT_MAX_NS);
        trip.measured(1_000_000);
        assert!(trip.timeout_ns() < 1_200_000);
    }
}
