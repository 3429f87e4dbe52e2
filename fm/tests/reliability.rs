//! The reliability engine against its promise: what one side pushes, the other takes once and in order, whatever the network does, and at
//! no more than it costs.

use fm::reliability::{Flow, Refused, WINDOW};
use fm::sim::{Faults, Network, Plan, Random};
use fm::{Fm, Peer, Threading};
use std::collections::BTreeMap;

/// Two flows and the network between them.
struct Pair {
    random: Random,
    now_ns: u64,
    flows: [Flow; 2],
    /// By time of arrival and a number: to which side, and the frame.
    on_the_way: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    frames: u64,
    /// In packets of a thousand.
    lost: u64,
    repeated: u64,
    garbled: u64,
}

const DELAY_NS: u64 = 50_000;

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut random = Random::new(seed);
        let (lost, repeated) = ([0, 1, 10, 100, 300][random.below(5) as usize], random.below(100));
        let garbled = [0, 1, 100][random.below(3) as usize];
        let flows = [Flow::new(1), Flow::new(2)];
        Pair { random, now_ns: 0, flows, on_the_way: BTreeMap::new(), frames: 0, lost, repeated, garbled }
    }

    /// Pushes packets while there is room, or fewer.
    fn push_some(&mut self, side: usize, count: u64, pushed: &mut u64) {
        while *pushed < count && self.flows[side].has_room() && self.random.below(4) > 0 {
            let mut packet = self.flows[side].buffer();
            packet.clear();
            packet.extend(pushed.to_le_bytes());
            self.flows[side].push(packet);
            *pushed += 1;
        }
    }

    fn transmit(&mut self, side: usize) {
        let mut frame = Vec::new();
        while self.flows[side].transmit(self.now_ns, &mut frame) {
            let copies = if self.random.below(1000) < self.lost { 0 } else { 1 + u64::from(self.random.below(1000) < self.repeated) };
            self.frames += 1;
            for copy in 0..copies {
                let at_ns = self.now_ns + DELAY_NS + self.random.below(DELAY_NS / 4);
                let mut frame = frame.clone();
                if self.random.below(1000) < self.garbled {
                    let bit = self.random.below(8 * frame.len() as u64);
                    frame[bit as usize / 8] ^= 1 << (bit % 8);
                }
                self.on_the_way.insert((at_ns, self.frames << 1 | copy), (1 - side, frame));
            }
        }
    }

    /// Moves time to the next thing that happens. Returns which side has to do something.
    fn advance(&mut self) -> Option<usize> {
        let arrival = self.on_the_way.first_key_value().map(|(&(at_ns, _), &(side, _))| (at_ns, side));
        let timers = (0..2).filter_map(|side| Some((self.flows[side].deadline_ns()?, side)));
        let (at_ns, side) = timers.chain(arrival).min()?;
        self.now_ns = self.now_ns.max(at_ns);
        if let Some(first) = self.on_the_way.first_entry()
            && first.key().0 <= self.now_ns
        {
            let (side, frame) = first.remove();
            let taken = self.flows[side].receive(self.now_ns, &frame);
            // The sums tell whether one was dropped that should not have been.
            assert!(taken != Err(Refused::Stranger) && (self.garbled > 0 || taken != Err(Refused::Garbled)), "{taken:?}");
            return Some(side);
        }
        Some(side)
    }
}

/// Sends `count` packets each way; returns the frames that took.
fn exchange(seed: u64, count: u64) -> Pair {
    let mut pair = Pair::new(seed);
    let (mut pushed, mut taken) = ([0u64; 2], [0u64; 2]);
    while taken != [count; 2] || !pair.flows.iter().all(Flow::is_settled) {
        for (side, pushed) in pushed.iter_mut().enumerate() {
            pair.push_some(side, count, pushed);
            pair.transmit(side);
        }
        let Some(side) = pair.advance() else {
            assert!(pushed != [count; 2], "seed {seed}: nothing will ever happen again; {taken:?} of {count} have arrived");
            continue;
        };
        while let Some(packet) = pair.flows[side].take() {
            assert_eq!(packet, taken[side].to_le_bytes(), "seed {seed}: out of order, twice, or never sent");
            taken[side] += 1;
            pair.flows[side].give_back(packet);
        }
    }
    pair
}

#[test]
fn every_packet_once_and_in_order() {
    (0..300).for_each(|seed| _ = exchange(seed, 300));
}

#[test]
fn a_loss_costs_about_one_repetition() {
    for seed in 0..200 {
        let pair = exchange(seed, 2000);
        let lost = pair.lost + pair.garbled;
        if lost <= 11 {
            // Data both ways carries the acknowledgements, or nearly: at most one in eight needs a frame of its own.
            let (least, most) = (4000, 4000 + 4000 / 4 + 4 * 4000 * lost / 1000 + 2 * u64::from(WINDOW));
            assert!((least..=most).contains(&pair.frames), "seed {seed}: {} frames at {lost} of 1000 lost", pair.frames);
        }
    }
}

#[test]
fn a_process_in_the_place_of_another_is_refused() {
    let frame_of = |incarnation: u32| {
        let (mut flow, mut frame) = (Flow::new(incarnation), Vec::new());
        flow.push(vec![0; 8]);
        assert!(flow.transmit(0, &mut frame));
        frame
    };
    let mut flow = Flow::new(1);
    assert_eq!(flow.receive(0, &frame_of(7)), Ok(()));
    assert_eq!(flow.receive(0, &frame_of(8)), Err(Refused::Stranger));
    assert_eq!(flow.receive(0, &frame_of(7)), Err(Refused::Repeated));
    assert_eq!(flow.receive(0, b"no frame at all, only text"), Err(Refused::Garbled));
    assert_eq!(flow.dropped(), 3);
}

#[test]
fn who_has_left_may_sleep_again() {
    let network = Network::new(1, 2, Plan { faults: Some(Faults::default()), ..Plan::default() });
    let fm = Fm::new(Peer(0), 2, vec![network.device(Peer(0))], |_| 0, Threading::Single, false);
    assert!(fm.close(), "nothing was ever sent");
    assert!(!fm.arrived());
}
