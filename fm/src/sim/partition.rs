//! Times in which the network is in two halves, which do not reach each other, or of which one does not reach the other.

use super::Random;
use crate::packet::Peer;

/// When nodes cannot reach each other. Knows one time apart and draws the next one when that is over.
pub(super) struct Partitions {
    random: Random,
    /// Longest time apart.
    max_ns: u64,
    begin_ns: u64,
    end_ns: u64,
    /// By node: in which half it is.
    half: Vec<bool>,
    /// What comes from the first half gets through.
    one_way: bool,
}

/// From the end of one time apart to the begin of the next there are up to so many times the longest.
const TOGETHER: u64 = 8;

impl Partitions {
    /// For so many nodes, each time for at most `max_ns`. Draws of its own: who sends what changes no partition.
    pub(super) fn new(random: Random, nodes: u32, max_ns: u64) -> Partitions {
        let mut partitions = Partitions { random, max_ns, begin_ns: 0, end_ns: 0, half: vec![false; nodes as usize], one_way: false };
        partitions.draw();
        partitions
    }

    fn draw(&mut self) {
        self.begin_ns = self.end_ns + self.random.below(TOGETHER * self.max_ns);
        self.end_ns = self.begin_ns + 1 + self.random.below(self.max_ns);
        for half in &mut self.half {
            *half = self.random.below(2) == 1;
        }
        self.one_way = self.random.below(3) == 0;
    }

    /// Whether a frame from one to the other is lost now. Time does not go back between calls.
    pub(super) fn separate(&mut self, now_ns: u64, from: Peer, to: Peer) -> bool {
        if self.max_ns == 0 {
            return false;
        }
        while now_ns >= self.end_ns {
            self.draw();
        }
        let gets_through = self.half[from.index()] == self.half[to.index()] || self.one_way && !self.half[from.index()];
        now_ns >= self.begin_ns && !gets_through
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pair_is_apart_at_times_and_no_longer_than_told() {
        const MAX_NS: u64 = 1000;
        for (from, to) in [(0, 1), (1, 0), (2, 0)] {
            let mut partitions = Partitions::new(Random::new(3), 3, MAX_NS);
            let (mut apart_ns, mut longest_ns, mut begun_ns) = (0, 0, None);
            for now_ns in 0..100 * MAX_NS {
                if partitions.separate(now_ns, Peer(from), Peer(to)) {
                    let begin_ns = *begun_ns.get_or_insert(now_ns);
                    apart_ns += 1;
                    longest_ns = longest_ns.max(now_ns - begin_ns);
                } else {
                    begun_ns = None;
                }
            }
            assert!((MAX_NS..30 * MAX_NS).contains(&apart_ns), "apart for {apart_ns}");
            // Two in a row may happen to touch.
            assert!(longest_ns < 2 * MAX_NS, "apart for {longest_ns} in a row");
        }
    }

    #[test]
    fn at_times_only_one_way_is_cut() {
        let mut partitions = Partitions::new(Random::new(3), 2, 1000);
        let mut ways = [0; 2];
        for now_ns in 0..100_000 {
            let [there, back] = [(0, 1), (1, 0)].map(|(from, to)| partitions.separate(now_ns, Peer(from), Peer(to)));
            ways[usize::from(there && back)] += u32::from(there || back);
        }
        assert!(ways.iter().all(|&ns| ns > 1000), "one way and both: {ways:?} ns");
    }

    #[test]
    fn no_node_is_apart_from_itself_and_nobody_where_there_are_no_partitions() {
        let mut partitions = Partitions::new(Random::new(3), 2, 1000);
        assert!((0..100_000).all(|now_ns| !partitions.separate(now_ns, Peer(1), Peer(1))));
        let mut none = Partitions::new(Random::new(3), 2, 0);
        assert!((0..100_000).all(|now_ns| !none.separate(now_ns, Peer(0), Peer(1))));
    }
}
