//! Datagrams that were written and are about to be sent, all of them to one peer.

use crate::shared::{FABRICS, HEAD};
use crate::sys::{Address, Socket, TRAIN_BYTES, TRAIN_SEGMENTS, Train};
use fm::reliability::frame::Prefix;
use fm::reliability::{Flow, Path};

pub struct Outbox {
    pub carriages: [Carriage; FABRICS],
    /// By which fabric the next frame will probably go.
    likely: usize,
    datagram_max: usize,
}

/// Those that go by one fabric.
pub struct Carriage {
    bytes: Vec<u8>,
    /// So much of it is used.
    len: usize,
    runs: Vec<Run>,
    count: usize,
}

/// Datagrams of one length behind each other; the last one may be shorter, and then no other follows.
struct Run {
    start: usize,
    end: usize,
    segment: usize,
    has_ended: bool,
}

impl Outbox {
    pub fn new(datagram_max: usize) -> Outbox {
        let room = TRAIN_BYTES + 2 * datagram_max.max(HEAD + Prefix::CONTROL_MAX);
        let carriage = || Carriage { bytes: vec![0; room], len: 0, runs: Vec::new(), count: 0 };
        Outbox { carriages: [carriage(), carriage()], likely: 0, datagram_max }
    }

    /// Writes what a flow has to send now, behind `head` each. Returns whether there may be more, for which there is no room.
    pub fn fill(&mut self, flow: &mut Flow, now_ns: u64, head: &[u8; HEAD]) -> bool {
        loop {
            let likely = self.likely;
            let Carriage { bytes, len, .. } = &mut self.carriages[likely];
            let start = *len;
            let room = &mut bytes[start..start + self.datagram_max];
            room[..HEAD].copy_from_slice(head);
            let Some((Path(path), length)) = flow.transmit(now_ns, &mut room[HEAD..]) else { return false };
            let (fabric, length) = (usize::from(path), HEAD + length);
            if fabric != likely {
                let [x, y] = &mut self.carriages;
                let (from, to) = if fabric == 0 { (y, x) } else { (x, y) };
                to.bytes[to.len..to.len + length].copy_from_slice(&from.bytes[start..start + length]);
            }
            // The next one goes by the other fabric if both carry.
            self.likely = 1 - fabric;
            if self.carriages[fabric].add(length) {
                return true;
            }
        }
    }
}

impl Carriage {
    /// So many bytes were written. Returns whether it is full.
    fn add(&mut self, length: usize) -> bool {
        let start = self.len;
        self.len += length;
        self.count += 1;
        match self.runs.last_mut() {
            Some(run) if !run.has_ended && length <= run.segment => (run.end, run.has_ended) = (self.len, length < run.segment),
            _ => self.runs.push(Run { start, end: self.len, segment: length, has_ended: false }),
        }
        self.len >= TRAIN_BYTES || self.count >= TRAIN_SEGMENTS
    }

    /// Hands all of it to the network.
    pub fn send(&self, socket: &Socket, to: &Address) {
        let train = |run: &Run| Train { to, bytes: &self.bytes[run.start..run.end], segment: run.segment };
        match &self.runs[..] {
            [] => (),
            [run] => socket.send(&[train(run)]),
            runs => socket.send(&runs.iter().map(train).collect::<Vec<_>>()),
        }
    }

    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        self.runs.iter().flat_map(|run| self.bytes[run.start..run.end].chunks(run.segment))
    }

    pub fn clear(&mut self) {
        (self.len, self.count) = (0, 0);
        self.runs.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trains_are_alike_but_for_their_last_datagram() {
        let mut outbox = Outbox::new(1472);
        let carriage = &mut outbox.carriages[0];
        for (index, length) in [100, 100, 60, 100, 100, 300, 300].into_iter().enumerate() {
            let start = carriage.len;
            carriage.bytes[start..start + length].fill(index as u8);
            assert!(!carriage.add(length));
        }
        let runs: Vec<_> = carriage.runs.iter().map(|run| (run.end - run.start, run.segment)).collect();
        assert_eq!(runs, [(260, 100), (200, 100), (600, 300)]);
        let datagrams: Vec<_> = carriage.datagrams().map(|datagram| (datagram[0], datagram.len())).collect();
        assert_eq!(datagrams, [(0, 100), (1, 100), (2, 60), (3, 100), (4, 100), (5, 300), (6, 300)]);
        carriage.clear();
        assert_eq!(carriage.datagrams().count(), 0);
        assert_eq!((0..200).take_while(|_| !carriage.add(500)).count() + 1, TRAIN_SEGMENTS);
    }
}
