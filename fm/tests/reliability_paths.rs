//! A flow over two fabrics: both carry, one takes all while the other is cut, and that one comes back by itself.

use fm::reliability::{Flow, OVERHEAD, Path, Received, Settings};
use fm::sim::wire::Wire;
use std::collections::BTreeMap;
use std::ops::Range;

const MS: u64 = 1_000_000;
const PACKET: usize = 1400;

/// Nothing gets through on a path, from these ends.
struct Cut {
    path: usize,
    from: [bool; 2],
    when_ns: Range<u64>,
}

/// A sender that always has more, and a receiver, with so many links of 500 Mbit/s and 0.2 ms between them.
struct Fabrics {
    now_ns: u64,
    ends: [Flow; 2],
    wires: Vec<[Wire; 2]>,
    on_the_way: BTreeMap<(u64, u64), (usize, Vec<u8>)>,
    /// Packets pushed, and frames sent.
    frames: u64,
    sent: u64,
    cut: Option<Cut>,
    /// Packets handed on, the time of the last one, and the longest time without.
    taken: u64,
    taken_ns: u64,
    pause_ns: u64,
}

impl Fabrics {
    fn new(paths: u8, cut: Option<Cut>) -> Fabrics {
        let settings = |me: u32| Settings { peer: Some(3 - me), paths, window: 1024, ..Settings::new(me) };
        let wire = || Wire::new(62_500_000, 100_000, 25_000);
        Fabrics {
            now_ns: 0,
            ends: [Flow::new(settings(1)), Flow::new(settings(2))],
            wires: (0..paths).map(|_| [wire(), wire()]).collect(),
            on_the_way: BTreeMap::new(),
            frames: 0,
            sent: 0,
            cut,
            taken: 0,
            taken_ns: 0,
            pause_ns: 0,
        }
    }

    /// Goes on until `end_ns`.
    fn run(&mut self, end_ns: u64) {
        while self.now_ns < end_ns {
            self.turn(0);
            self.turn(1);
            let arrival_ns = self.on_the_way.first_key_value().map(|(&(at_ns, _), _)| at_ns);
            let timers_ns = [0, 1].map(|end| self.ends[end].deadline_ns());
            let next_ns = timers_ns.into_iter().flatten().chain(arrival_ns).min().expect("something is to happen");
            self.now_ns = self.now_ns.max(next_ns);
            if let Some(first) = self.on_the_way.first_entry()
                && first.key().0 <= self.now_ns
            {
                let (end, frame) = first.remove();
                if let Ok(Received::Next(packet)) = self.ends[end].receive(self.now_ns, &frame) {
                    let number = u64::from_le_bytes(*packet.first_chunk().unwrap());
                    self.take(number);
                }
            }
        }
    }

    fn turn(&mut self, end: usize) {
        while let Some(packet) = self.ends[end].take() {
            self.take(u64::from_le_bytes(*packet.first_chunk().unwrap()));
            self.ends[end].give_back(packet);
        }
        let mut room = [0; PACKET + OVERHEAD];
        loop {
            while end == 0 && self.ends[0].has_room() {
                let mut packet = self.ends[0].buffer();
                packet.resize(PACKET, 0);
                packet[..8].copy_from_slice(&self.frames.to_le_bytes());
                self.frames += 1;
                self.ends[0].push(packet);
            }
            let Some((path, length)) = self.ends[end].transmit(self.now_ns, &mut room) else { return };
            self.carry(end, path, &room[..length]);
        }
    }

    fn take(&mut self, number: u64) {
        assert_eq!(number, self.taken);
        self.taken += 1;
        self.pause_ns = self.pause_ns.max(self.now_ns - self.taken_ns);
        self.taken_ns = self.now_ns;
    }

    fn carry(&mut self, from: usize, path: Path, frame: &[u8]) {
        let at_ns = self.wires[path.index()][from].send(self.now_ns, frame.len() as u64);
        let is_cut = |cut: &Cut| cut.path == path.index() && cut.from[from] && cut.when_ns.contains(&self.now_ns);
        if self.cut.as_ref().is_some_and(is_cut) {
            return;
        }
        if let Some(at_ns) = at_ns {
            self.sent += 1;
            self.on_the_way.insert((at_ns, self.sent), (1 - from, frame.to_vec()));
        }
    }

    /// Packets taken between now and then.
    fn taken_until(&mut self, end_ns: u64) -> u64 {
        let before = self.taken;
        self.run(end_ns);
        self.taken - before
    }
}

#[test]
fn two_fabrics_carry_nearly_twice_what_one_does() {
    let [one, two] = [1, 2].map(|paths| Fabrics::new(paths, None).taken_until(300 * MS));
    assert!(two * 10 >= one * 18, "{one} packets by one, {two} by two");
}

#[test]
fn a_cut_fabric_is_left_at_once_and_taken_again_when_it_is_back() {
    for (path, from) in [(0, [true, true]), (1, [true, true]), (0, [true, false]), (1, [false, true])] {
        let mut fabrics = Fabrics::new(2, Some(Cut { path, from, when_ns: 200 * MS..500 * MS }));
        let both = fabrics.taken_until(200 * MS);
        fabrics.run(210 * MS);
        let one = fabrics.taken_until(410 * MS);
        assert!(one * 10 >= both * 4, "path {path} cut from {from:?}: {both} packets by both, {one} by the other");
        fabrics.run(620 * MS);
        let again = fabrics.taken_until(820 * MS);
        assert!(again * 10 >= both * 8, "path {path} cut from {from:?}: {both} packets before, {again} afterwards");
        assert!(fabrics.pause_ns < 10 * MS, "path {path} cut from {from:?}: a pause of {} ns", fabrics.pause_ns);
        assert!(fabrics.ends[0].path(Path(path as u8)).is_up);
    }
}
