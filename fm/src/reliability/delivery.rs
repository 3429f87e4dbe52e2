//! At which rate packets arrive at the other end (draft-cheng-iccrg-delivery-rate-estimation).
//!
//! A sample is taken for each acknowledgement: what has arrived since the packet that it acknowledges was sent, over the time that took to be sent
//! or to be acknowledged, whichever was longer. So neither acknowledgements that come in a heap nor packets that leave in one make a path look
//! quicker than it is.

/// What has arrived by one path.
#[derive(Default)]
pub(super) struct Delivery {
    /// Bytes, and when the last of them were acknowledged.
    delivered: u64,
    delivered_ns: u64,
    /// When the packet was sent that was acknowledged last, or the first one after a pause.
    first_sent_ns: u64,
    /// Until this much has arrived, the process had less to send than the path would have taken.
    limited_until: u64,
    sample: Option<Stamp>,
    sample_sent_ns: u64,
}

/// How things were when a packet was sent.
#[derive(Clone, Copy, Default)]
pub(super) struct Stamp {
    pub(super) delivered: u64,
    delivered_ns: u64,
    first_sent_ns: u64,
    is_limited: bool,
}

/// What an acknowledgement has shown.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    /// Bytes a second; `None` if it took too short a time to say.
    pub(super) rate: Option<u64>,
    /// The path could have been quicker.
    pub(super) is_limited: bool,
    /// Bytes that had arrived when the packet was sent, and that have now.
    pub(super) delivered_then: u64,
    pub(super) delivered: u64,
}

impl Delivery {
    /// A packet is sent. `is_first`: nothing else is on its way.
    pub(super) fn sent(&mut self, now_ns: u64, is_first: bool) -> Stamp {
        if is_first {
            self.first_sent_ns = now_ns;
            self.delivered_ns = now_ns;
        }
        Stamp {
            delivered: self.delivered,
            delivered_ns: self.delivered_ns,
            first_sent_ns: self.first_sent_ns,
            is_limited: self.limited_until > self.delivered,
        }
    }

    /// Nothing is left to send, although `in_flight` bytes are less than the path takes.
    pub(super) fn is_limited(&mut self, in_flight: u64) {
        self.limited_until = self.delivered + in_flight;
    }

    /// A packet of `bytes` that was sent at `sent_ns` has been acknowledged.
    pub(super) fn acknowledged(&mut self, now_ns: u64, bytes: u64, sent_ns: u64, stamp: Stamp) {
        self.delivered += bytes;
        self.delivered_ns = now_ns;
        if self.sample.is_none_or(|sample| stamp.delivered >= sample.delivered) {
            self.sample = Some(stamp);
            self.sample_sent_ns = sent_ns;
            self.first_sent_ns = sent_ns;
        }
    }

    /// What the packets acknowledged since the last call have shown. `least_ns` is the least round trip: in less nothing can have arrived.
    pub(super) fn sample(&mut self, least_ns: u64) -> Option<Sample> {
        let stamp = self.sample.take()?;
        let send_ns = self.sample_sent_ns.saturating_sub(stamp.first_sent_ns);
        let took_ns = send_ns.max(self.delivered_ns.saturating_sub(stamp.delivered_ns));
        let bytes = self.delivered - stamp.delivered;
        Some(Sample {
            rate: (took_ns >= least_ns.max(1)).then(|| bytes * 1_000_000_000 / took_ns),
            is_limited: stamp.is_limited,
            delivered_then: stamp.delivered,
            delivered: self.delivered,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    #[test]
    fn a_packet_each_microsecond_is_a_rate_however_they_are_acknowledged() {
        const TRIP: u64 = 50;
        for heap in [1, 10] {
            let mut delivery = Delivery::default();
            let (mut stamps, mut rate) = (VecDeque::new(), 0);
            for now in 0..400 {
                // Acknowledged in heaps, each with its last one.
                while stamps.len() as u64 > TRIP && now % heap == 0
                    && let Some((sent, stamp)) = stamps.pop_front()
                {
                    delivery.acknowledged(1000 * now, 1000, 1000 * sent, stamp);
                }
                rate = rate.max(delivery.sample(1000 * TRIP).and_then(|sample| sample.rate).unwrap_or(0));
                stamps.push_back((now, delivery.sent(1000 * now, now == 0)));
            }
            assert!((900_000_000..1_020_000_000).contains(&rate), "{rate}");
        }
    }
}
