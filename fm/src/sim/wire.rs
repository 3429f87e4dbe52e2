//! One direction of a link: frames leave at its rate, wait in a queue of so many bytes, and are dropped when that is full.

/// A link's direction.
#[derive(Clone, Debug)]
pub struct Wire {
    /// Bytes a second; 0 for without end.
    pub rate: u64,
    /// From the last byte's departure to its arrival.
    pub delay_ns: u64,
    /// Bytes that may wait.
    pub queue: u64,
    /// When all has left that waits.
    free_ns: u64,
}

impl Wire {
    pub const fn new(rate: u64, delay_ns: u64, queue: u64) -> Wire {
        Wire { rate, delay_ns, queue, free_ns: 0 }
    }

    /// A frame of so many bytes is sent. Returns when it arrives; `None` if it finds the queue full. Time does not go back between calls.
    pub fn send(&mut self, now_ns: u64, bytes: u64) -> Option<u64> {
        if self.rate == 0 {
            return Some(now_ns + self.delay_ns);
        }
        let waiting = self.waiting(now_ns);
        if waiting > 0 && waiting + bytes > self.queue {
            return None;
        }
        self.free_ns = self.free_ns.max(now_ns) + bytes * 1_000_000_000 / self.rate;
        Some(self.free_ns + self.delay_ns)
    }

    /// Bytes that wait.
    pub fn waiting(&self, now_ns: u64) -> u64 {
        let ns = self.free_ns.saturating_sub(now_ns);
        (u128::from(ns) * u128::from(self.rate) / 1_000_000_000) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_leave_one_after_the_other_and_those_beyond_the_queue_are_dropped() {
        // A byte each nanosecond.
        let mut wire = Wire::new(1_000_000_000, 100, 2500);
        assert_eq!(wire.send(0, 1000), Some(1100));
        assert_eq!(wire.send(0, 1000), Some(2100));
        assert_eq!(wire.send(0, 1000), None);
        assert_eq!(wire.send(500, 1000), Some(3100));
        assert_eq!(wire.waiting(500), 2500);
        assert_eq!(wire.send(10_000, 1000), Some(11_100));
    }

    #[test]
    fn a_wire_without_a_rate_only_delays() {
        let mut wire = Wire::new(0, 7, 0);
        assert_eq!((wire.send(1, 1 << 30), wire.send(1, 1)), (Some(8), Some(8)));
    }
}
