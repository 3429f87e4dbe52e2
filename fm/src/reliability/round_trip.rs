//! How long an acknowledgement takes (RFC 6298).

/// Limits of the retransmission time-out, in nanoseconds. A process that answers may have been off its core for a moment.
const TIMEOUT_MIN_NS: u64 = 200_000;
pub(super) const TIMEOUT_MAX_NS: u64 = 100_000_000;
/// Before anything was measured.
const TIMEOUT_FIRST_NS: u64 = 2_000_000;

/// An acknowledgement may have waited so long for company ([`incoming`](super::incoming)).
pub(super) const PATIENCE_NS: u64 = 20_000;

/// Least time by which packets may overtake each other: what a batch takes.
const REORDERING_MIN_NS: u64 = 20_000;

/// How many quarters of the least round trip packets may overtake each other by, at most.
const QUARTERS_MAX: u64 = 16;

pub(super) struct RoundTrip {
    /// Smoothed time and its mean deviation, once something was measured.
    estimate_ns: Option<(u64, u64)>,
    least_ns: u64,
    /// By so many quarters of the least round trip packets have overtaken each other.
    quarters: u64,
}

impl RoundTrip {
    pub(super) const fn new() -> Self {
        RoundTrip { estimate_ns: None, least_ns: u64::MAX, quarters: 1 }
    }

    /// A packet that was sent once has been acknowledged after `ns`.
    pub(super) fn measured(&mut self, ns: u64) {
        self.least_ns = self.least_ns.min(ns);
        self.estimate_ns = Some(match self.estimate_ns {
            None => (ns, ns / 2),
            Some((smooth, deviation)) => ((7 * smooth + ns) / 8, (3 * deviation + smooth.abs_diff(ns)) / 4),
        });
    }

    /// A packet was sent again in vain: wait longer for those that were overtaken (RFC 8985, section 6.2).
    pub(super) fn repeated_in_vain(&mut self) {
        self.quarters = (self.quarters + 1).min(QUARTERS_MAX);
    }

    /// Nothing was overtaken for a while.
    pub(super) fn in_order(&mut self) {
        self.quarters = (self.quarters - 1).max(1);
    }

    /// Whether an acknowledgement can have come after `ns`.
    pub(super) fn is_possible(&self, ns: u64) -> bool {
        ns >= self.least_ns
    }

    pub(super) fn smooth_ns(&self) -> Option<u64> {
        self.estimate_ns.map(|(smooth, _)| smooth)
    }

    /// A path that owes an acknowledgement and has given none for so long has a problem.
    pub(super) fn timeout_ns(&self) -> u64 {
        let base = self.estimate_ns.map_or(TIMEOUT_FIRST_NS, |(smooth, deviation)| smooth + 4 * deviation + PATIENCE_NS);
        base.clamp(TIMEOUT_MIN_NS, TIMEOUT_MAX_NS)
    }

    /// By so much a packet may overtake another without the other being lost.
    pub(super) fn reordering_ns(&self) -> u64 {
        let Some((smooth, _)) = self.estimate_ns else { return TIMEOUT_FIRST_NS };
        (self.least_ns.min(smooth) / 4 * self.quarters).min(smooth).max(REORDERING_MIN_NS)
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
        (0..100).for_each(|_| trip.measured(10_000));
        assert_eq!(trip.timeout_ns(), TIMEOUT_MIN_NS);
    }

    #[test]
    fn who_was_wrong_about_a_loss_waits_longer_but_no_longer_than_a_round_trip() {
        let mut trip = RoundTrip::new();
        (0..100).for_each(|_| trip.measured(1_000_000));
        assert_eq!(trip.reordering_ns(), 250_000);
        trip.repeated_in_vain();
        assert_eq!(trip.reordering_ns(), 500_000);
        (0..100).for_each(|_| trip.repeated_in_vain());
        assert_eq!(trip.reordering_ns(), 1_000_000);
        (0..100).for_each(|_| trip.in_order());
        assert_eq!(trip.reordering_ns(), 250_000);
    }
}
