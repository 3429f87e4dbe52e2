//! The reliability engine against its promise: what one side pushes, the other takes once and in order, whatever the network does, and at
//! no more than it costs.

use fm::reliability::{Failure, Flow, Received, Refused, Settings};
use fm::sim::{Faults, Network, Plan, Random};
use fm::{Fm, Peer, Threading};
use std::collections::{BTreeMap, VecDeque};

/// Two flows and the network between them.
struct Pair {
    random: Random,
    now_ns: u64,
    flows: [Flow; 2],
    /// By time of arrival and a number: to which side, and the frame.
    on_the_way: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    frames: u64,
    /// Packets that came with a frame and did not wait.
    direct: [VecDeque<Vec<u8>>; 2],
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
        let flows = [Flow::new(Settings::new(1)), Flow::new(Settings::new(2))];
        Pair { random, now_ns: 0, flows, on_the_way: BTreeMap::new(), frames: 0, direct: Default::default(), lost, repeated, garbled }
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
        let mut room = [0; 1024];
        while let Some((_, length)) = self.flows[side].transmit(self.now_ns, &mut room) {
            let frame = &room[..length];
            let copies = if self.random.below(1000) < self.lost { 0 } else { 1 + u64::from(self.random.below(1000) < self.repeated) };
            self.frames += 1;
            for copy in 0..copies {
                let at_ns = self.now_ns + DELAY_NS + self.random.below(DELAY_NS / 4);
                let mut frame = frame.to_vec();
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
        let timers = [0, 1].map(|side| Some((self.flows[side].deadline_ns()?, side)));
        let (at_ns, side) = timers.into_iter().flatten().chain(arrival).min()?;
        self.now_ns = self.now_ns.max(at_ns);
        if let Some(first) = self.on_the_way.first_entry()
            && first.key().0 <= self.now_ns
        {
            let (side, frame) = first.remove();
            let taken = self.flows[side].receive(self.now_ns, &frame);
            if let Ok(Received::Next(packet)) = taken {
                self.direct[side].push_back(packet.to_vec());
            }
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
        while let Some(packet) = pair.direct[side].pop_front().or_else(|| pair.flows[side].take()) {
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
            let (least, most) = (4000, 4000 + 4000 / 4 + 4 * 4000 * lost / 1000 + 128);
            assert!((least..=most).contains(&pair.frames), "seed {seed}: {} frames at {lost} of 1000 lost", pair.frames);
        }
    }
}

/// What a flow would send now.
fn frame_of(flow: &mut Flow, now_ns: u64) -> Vec<u8> {
    let mut room = [0; 1024];
    let (_, length) = flow.transmit(now_ns, &mut room).expect("something to send");
    room[..length].to_vec()
}

/// A flow to a peer that it knows, and a packet of it.
fn packet_of(incarnation: u32, peer: u32) -> Vec<u8> {
    let mut flow = Flow::new(Settings { peer: Some(peer), ..Settings::new(incarnation) });
    flow.push(vec![0; 8]);
    frame_of(&mut flow, 0)
}

#[test]
fn a_process_in_the_place_of_another_is_told_from_it() {
    let mut flow = Flow::new(Settings::new(5));
    assert_eq!(flow.receive(0, &packet_of(7, 4)), Err(Refused::Stranger), "to our past");
    assert_eq!(flow.receive(0, &packet_of(7, 5)), Ok(Received::Next(&[0; 8])));
    assert_eq!(flow.receive(0, &packet_of(7, 5)), Err(Refused::Repeated));
    assert_eq!(flow.receive(0, &packet_of(6, 5)), Err(Refused::Stranger), "from the peer's past");
    assert_eq!(flow.receive(0, b"no frame at all, only text"), Err(Refused::Garbled));
    assert_eq!((flow.peer(), flow.failure(), flow.refused()), (Some(7), None, 4));
    flow.push(vec![0; 8]);
    assert_eq!(flow.receive(0, &packet_of(8, 5)), Err(Refused::Stranger));
    assert_eq!(flow.failure(), Some(Failure::Restarted { incarnation: 8 }));
    assert!(flow.is_settled(), "nothing is kept for somebody who is gone");
}

#[test]
fn who_is_not_known_is_asked_before_anything_is_sent_to_it() {
    let (mut left, mut right) = (Flow::new(Settings::new(5)), Flow::new(Settings::new(7)));
    left.push(vec![3; 8]);
    let question = frame_of(&mut left, 0);
    assert_eq!(right.receive(0, &question), Ok(Received::Nothing));
    let answer = frame_of(&mut right, 0);
    assert_eq!((left.receive(0, &answer), left.peer(), right.peer()), (Ok(Received::Nothing), Some(7), None));
    let packet = frame_of(&mut left, 0);
    assert_eq!(right.receive(0, &packet), Ok(Received::Next(&[3; 8])));
    assert_eq!(right.peer(), Some(5));
}

#[test]
fn who_says_nothing_has_failed_in_the_end() {
    const PATIENCE_NS: u64 = 50_000_000;
    let mut flow = Flow::new(Settings { give_up_ns: PATIENCE_NS, ..Settings::new(1) });
    let mut room = [0; 1024];
    assert_eq!((flow.transmit(PATIENCE_NS, &mut room), flow.failure()), (None, None), "nothing is owed");
    flow.push(vec![0; 8]);
    let mut now_ns = 3 * PATIENCE_NS;
    while flow.failure().is_none() {
        while flow.transmit(now_ns, &mut room).is_some() {}
        let Some(at_ns) = flow.deadline_ns() else { break };
        assert!(at_ns > now_ns, "nothing to send, but now");
        now_ns = at_ns;
    }
    assert_eq!((flow.failure(), now_ns), (Some(Failure::Silent), 4 * PATIENCE_NS));
}

#[test]
fn who_has_left_may_sleep_again() {
    let network = Network::new(1, 2, Plan { faults: Some(Faults::default()), ..Plan::default() });
    let fm = Fm::new(Peer(0), 2, vec![network.device(Peer(0))], |_| 0, Threading::Single, false);
    assert!(fm.close(), "nothing was ever sent");
    assert!(!fm.arrived());
}
