//! Packets on their way to one peer.

use super::delivery::Delivery;
use super::frame::{Beyond, Prefix};
use super::path::{PathState, Sent};
use super::{Path, Settings, earlier};
use std::collections::VecDeque;

pub(super) struct Outgoing {
    /// Packets accepted at most.
    window: u32,
    /// Sequence number of the oldest packet that is not acknowledged.
    base: u32,
    /// From `base` on.
    packets: VecDeque<Packet>,
    /// Leading packets of `packets` that have been sent.
    begun: u32,
    /// From here on the receiver has no room.
    limit: u32,
    /// Numbers of packets to be sent again; those that have arrived since are skipped.
    lost: VecDeque<u32>,
    /// Buffers of acknowledged packets, for those to come.
    spare: Vec<Vec<u8>>,
    paths: Box<[PathState]>,
    /// Packets that the peer has got more than once, as far as it has said.
    repeats: u16,
    /// Packets acknowledged since the last of those.
    in_order: u32,
    /// The path that was sent on last.
    turn: usize,
}

struct Packet {
    bytes: Vec<u8>,
    state: State,
    sent: Sent,
    /// Its neighbours among the packets on their way by the same path, in the order of sending.
    earlier: Option<u32>,
    later: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    New,
    OnItsWay,
    /// To be sent again.
    Lost,
    /// Acknowledged, while an earlier one is not.
    Arrived,
}

/// Acknowledged packets without one repeated in vain, after which less reordering is expected.
const IN_ORDER: u32 = 10_000;

/// What there is to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Due {
    Now(Path),
    /// When a path lets it.
    At(u64),
    /// Nothing, or nothing until an acknowledgement comes.
    Nothing,
}

impl Outgoing {
    pub(super) fn new(settings: &Settings) -> Self {
        let random = |path: u8| u64::from(settings.incarnation) << 8 | u64::from(path);
        let paths = (0..settings.paths).map(|path| PathState::new(random(path), Delivery::default())).collect();
        let first = super::identity::first_sequence(settings.incarnation);
        Outgoing {
            window: settings.window,
            base: first,
            packets: VecDeque::new(),
            begun: 0,
            limit: first.wrapping_add(settings.window),
            lost: VecDeque::new(),
            spare: Vec::new(),
            paths,
            repeats: 0,
            in_order: 0,
            turn: 0,
        }
    }

    /// So many packets more may be [pushed](Self::push).
    pub(super) fn room(&self) -> usize {
        self.window as usize - self.packets.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// Packets held.
    pub(super) fn held(&self) -> usize {
        self.packets.len() + self.spare.len()
    }

    pub(super) fn paths(&self) -> &[PathState] {
        &self.paths
    }

    pub(super) fn path_mut(&mut self, path: Path) -> &mut PathState {
        &mut self.paths[path.index()]
    }

    /// A buffer to fill and [`push`](Self::push).
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes the next packet. There is room for it.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.room() > 0);
        self.packets.push_back(Packet { bytes, state: State::New, sent: Sent::default(), earlier: None, later: None });
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.packets.clear();
        self.lost.clear();
        self.begun = 0;
        for path in &mut self.paths {
            (path.first, path.last, path.in_flight) = (None, None, 0);
        }
    }

    fn place(&self, sequence: u32) -> usize {
        sequence.wrapping_sub(self.base) as usize
    }

    /// The packet to be sent next: one that was lost, or one that is new and for which the receiver has room.
    fn next(&mut self) -> Option<u32> {
        while let Some(&sequence) = self.lost.front() {
            if self.packets.get(self.place(sequence)).is_some_and(|packet| packet.state == State::Lost) {
                return Some(sequence);
            }
            self.lost.pop_front();
        }
        let next = self.base.wrapping_add(self.begun);
        ((self.begun as usize) < self.packets.len() && earlier(next, self.limit)).then_some(next)
    }

    /// Whether there is a packet to send, and when and where.
    pub(super) fn due(&mut self, now_ns: u64) -> Due {
        let Some(sequence) = self.next() else {
            if self.begun as usize == self.packets.len() {
                self.paths.iter_mut().for_each(PathState::is_limited);
            }
            return Due::Nothing;
        };
        let packet = &self.packets[self.place(sequence)];
        let bytes = (packet.bytes.len() + Prefix::SIZE) as u64;
        let (last, count) = (self.turn, self.paths.len());
        let open = || (1..=count).map(|step| (last + step) % count).filter(|&path| self.paths[path].is_up() && self.paths[path].has_window(bytes));
        if let Some(path) = open().filter(|&path| self.paths[path].next_ns() <= now_ns).min_by_key(|&path| self.paths[path].cost_ns()) {
            return Due::Now(Path(path as u8));
        }
        open().map(|path| self.paths[path].next_ns()).min().map_or(Due::Nothing, Due::At)
    }

    /// Sends the next packet on `path`: [`due`](Self::due) has named it.
    pub(super) fn send(&mut self, now_ns: u64, path: Path) -> Option<(u32, &[u8])> {
        let sequence = self.next()?;
        if self.lost.front() == Some(&sequence) {
            self.lost.pop_front();
        } else {
            self.begun += 1;
        }
        Some(self.send_one(now_ns, sequence, path))
    }

    fn send_one(&mut self, now_ns: u64, sequence: u32, path: Path) -> (u32, &[u8]) {
        self.turn = path.index();
        let place = self.place(sequence);
        let packet = &mut self.packets[place];
        let bytes = (packet.bytes.len() + Prefix::SIZE) as u32;
        packet.sent = self.paths[path.index()].send(now_ns, bytes, path.0, packet.sent.times + 1);
        packet.state = State::OnItsWay;
        self.link(sequence, path);
        (sequence, &self.packets[place].bytes)
    }

    /// The packet is the last one on its way by `path`.
    fn link(&mut self, sequence: u32, path: Path) {
        let last = self.paths[path.index()].last.replace(sequence);
        match last {
            Some(last) => {
                let place = self.place(last);
                self.packets[place].later = Some(sequence);
            }
            None => self.paths[path.index()].first = Some(sequence),
        }
        let place = self.place(sequence);
        (self.packets[place].earlier, self.packets[place].later) = (last, None);
    }

    /// The packet is no longer on its way.
    fn unlink(&mut self, sequence: u32) {
        let packet = &self.packets[self.place(sequence)];
        let (before, after, sent) = (packet.earlier, packet.later, packet.sent);
        let path = usize::from(sent.path);
        self.paths[path].in_flight -= u64::from(sent.bytes);
        match before {
            Some(before) => {
                let place = self.place(before);
                self.packets[place].later = after;
            }
            None => self.paths[path].first = after,
        }
        match after {
            Some(after) => {
                let place = self.place(after);
                self.packets[place].earlier = before;
            }
            None => self.paths[path].last = before,
        }
    }

    /// Takes an acknowledgement in: `next` is expected next, for `room` packets from there on there is room. One of packets that were never sent is ignored.
    pub(super) fn acknowledged(&mut self, now_ns: u64, next: u32, room: u16, beyond: &Beyond, repeats: u16) {
        let end = self.base.wrapping_add(self.begun);
        if earlier(next, self.base) || earlier(end, next) {
            return;
        }
        while self.base != next {
            self.arrived(now_ns, self.base);
            self.packets.pop_front();
            self.base = self.base.wrapping_add(1);
            self.begun -= 1;
        }
        let begun = self.begun;
        for bit in beyond.bits().take_while(|bit| bit + 1 < begun) {
            self.arrived(now_ns, next.wrapping_add(1 + bit));
        }
        let limit = next.wrapping_add(u32::from(room).min(self.window));
        if earlier(self.limit, limit) {
            self.limit = limit;
        }
        if repeats != self.repeats {
            (self.repeats, self.in_order) = (repeats, 0);
            self.paths.iter_mut().for_each(|path| path.trip.repeated_in_vain());
        } else if self.in_order >= IN_ORDER {
            self.in_order = 0;
            self.paths.iter_mut().for_each(|path| path.trip.in_order());
        }
        self.paths.iter_mut().for_each(|path| path.settle(now_ns));
    }

    fn arrived(&mut self, now_ns: u64, sequence: u32) {
        let place = self.place(sequence);
        let packet = &mut self.packets[place];
        let state = std::mem::replace(&mut packet.state, State::Arrived);
        if state == State::Arrived {
            return;
        }
        if self.spare.len() < self.window as usize {
            self.spare.push(std::mem::take(&mut packet.bytes));
        }
        self.in_order += 1;
        let sent = packet.sent;
        if state == State::OnItsWay {
            self.unlink(sequence);
        }
        self.paths[usize::from(sent.path)].acknowledged(now_ns, &sent);
    }

    /// Finds packets that are lost by now, and paths that owe an answer for too long.
    pub(super) fn look(&mut self, now_ns: u64) {
        for path in 0..self.paths.len() {
            while let Some(first) = self.paths[path].first
                && let sent_ns = self.packets[self.place(first)].sent.at_ns
                && self.paths[path].lost_ns(sent_ns).is_some_and(|lost_ns| lost_ns <= now_ns)
            {
                self.lose(first);
            }
        }
    }

    fn lose(&mut self, sequence: u32) {
        self.unlink(sequence);
        let place = self.place(sequence);
        self.packets[place].state = State::Lost;
        self.lost.push_back(sequence);
    }

    /// Whether a path owes an answer for too long.
    pub(super) fn is_overdue(&self, now_ns: u64) -> bool {
        self.late(now_ns).is_some()
    }

    fn late(&self, now_ns: u64) -> Option<usize> {
        let is_late = |path: &PathState| path.is_up() && self.overdue_ns(path).is_some_and(|overdue_ns| overdue_ns <= now_ns);
        self.paths.iter().position(is_late)
    }

    /// It does. Returns the packet that is to be sent once more, and the path to do so: another one, if there is one.
    pub(super) fn time_out(&mut self, now_ns: u64) -> Option<(Path, (u32, &[u8]))> {
        let late = self.late(now_ns)?;
        self.paths[late].timed_out(now_ns);
        let others = (0..self.paths.len()).filter(|&path| path != late && self.paths[path].is_up());
        let other = others.min_by_key(|&path| self.paths[path].cost_ns());
        if !self.paths[late].is_up() {
            return None;
        }
        let first = self.paths[late].first?;
        let path = Path(other.unwrap_or(late) as u8);
        self.unlink(first);
        Some((path, self.send_one(now_ns, first, path)))
    }

    /// When `path` owes an answer for too long.
    fn overdue_ns(&self, path: &PathState) -> Option<u64> {
        Some(path.overdue_ns(self.packets[self.place(path.first?)].sent.at_ns))
    }

    /// What is on its way by a path that is down goes by others, if one of those has been heard since: otherwise it is the peer that is silent.
    pub(super) fn move_from(&mut self, down: Path) {
        if self.has_better(&self.paths[down.index()]) {
            while let Some(first) = self.paths[down.index()].first {
                self.lose(first);
            }
        }
    }

    fn has_better(&self, path: &PathState) -> bool {
        self.paths.iter().any(|other| other.outlives(path))
    }

    /// Something is on its way by a path that is down, and of no other path is it known whether it is better.
    pub(super) fn is_stranded(&self) -> bool {
        let is_stranded = |path: &PathState| !path.is_up() && path.first.is_some() && !self.has_better(path);
        self.paths.iter().any(PathState::is_up) && self.paths.iter().any(is_stranded)
    }

    /// The receiver has no room for what is next, and nothing is on its way that would bring word of some.
    pub(super) fn is_held_back(&self) -> bool {
        (self.begun as usize) < self.packets.len()
            && !earlier(self.base.wrapping_add(self.begun), self.limit)
            && self.lost.is_empty()
            && self.paths.iter().all(|path| path.first.is_none())
    }

    /// When a loss or a time-out is to be looked for.
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        let of_path = |path: &PathState| {
            let sent_ns = self.packets[self.place(path.first?)].sent.at_ns;
            let overdue_ns = path.is_up().then(|| path.overdue_ns(sent_ns));
            path.lost_ns(sent_ns).into_iter().chain(overdue_ns).min()
        };
        self.paths.iter().filter_map(of_path).min()
    }
}
