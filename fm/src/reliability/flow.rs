//! Both directions between this process and one peer.

use super::frame::{Beyond, DATA_WORDS_MAX, Kind, Prefix, WORDS_MAX};
use super::identity::{Identity, Sender, first_sequence};
use super::incoming::{Arrival, Incoming};
use super::outgoing::{Due, Outgoing};
use super::round_trip::TIMEOUT_MAX_NS;
use super::{PATHS_MAX, Path, Settings, WINDOW_MAX};

/// A reliable connection, without the network: the caller carries frames and tells the time in nanoseconds since whenever, which never goes back.
pub struct Flow {
    settings: Settings,
    identity: Identity,
    outgoing: Outgoing,
    incoming: Incoming,
    /// By path: the probe to be answered, and who has sent it.
    answers: [Option<Answer>; PATHS_MAX],
    /// Paths on which an acknowledgement is to be sent, by bit.
    owed: u8,
    /// The path on which a packet came last.
    heard_on: Path,
    ask: Ask,
    heard_ns: u64,
    /// Since when the peer has owed an answer.
    waiting_ns: Option<u64>,
    failure: Option<Failure>,
    refused: u64,
}

#[derive(Clone, Copy)]
struct Answer {
    to: u32,
    sequence: u32,
}

/// Asking the peer who it is, whether it has room, or whether it hears anything at all.
struct Ask {
    at_ns: u64,
    interval_ns: u64,
    path: Path,
}

/// Before the first answer is overdue.
const ASK_FIRST_NS: u64 = 1_000_000;

/// Why a frame was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is no frame of this protocol, or was changed on its way.
    Garbled,
    /// It comes from, or goes to, another process than the two that this flow is between.
    Stranger,
    /// It has come before.
    Repeated,
    /// There is no room for it.
    Beyond,
}

/// What a frame has brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received<'f> {
    /// The next packet in order: here it is, and [`Flow::take`] will not return it.
    Next(&'f [u8]),
    /// A packet that was kept: [`Flow::take`] may have something.
    Kept,
    /// No packet.
    Nothing,
}

/// Why a flow has ended. What it had accepted and what was not acknowledged may be lost; nothing more goes either way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Failure {
    /// Another process has taken the peer's place. It can be met by a new flow.
    Restarted {
        /// Of the other process.
        incarnation: u32,
    },
    /// The peer has owed an answer for [`Settings::give_up_ns`]. Nobody may meet it again with the same incarnation: it may still believe in this flow.
    Silent,
}

impl Flow {
    pub fn new(settings: Settings) -> Flow {
        assert!((1..=PATHS_MAX).contains(&usize::from(settings.paths)), "{} paths", settings.paths);
        assert!((8..=WINDOW_MAX).contains(&settings.window), "a window of {} packets", settings.window);
        let mut incoming = Incoming::new(settings.window);
        if let Some(peer) = settings.peer {
            incoming.begin(first_sequence(peer));
        }
        Flow {
            settings,
            identity: Identity::new(settings.incarnation, settings.peer),
            outgoing: Outgoing::new(&settings),
            incoming,
            answers: [None; PATHS_MAX],
            owed: 0,
            heard_on: Path(0),
            ask: Ask { at_ns: 0, interval_ns: ASK_FIRST_NS, path: Path(0) },
            heard_ns: 0,
            waiting_ns: None,
            failure: None,
            refused: 0,
        }
    }

    /// Whether [`push`](Self::push) may be called.
    pub fn has_room(&self) -> bool {
        self.room() > 0
    }

    /// How many times it may be called before the next acknowledgement.
    pub fn room(&self) -> usize {
        self.outgoing.room()
    }

    /// A buffer for the next packet, with what was in it before.
    pub fn buffer(&mut self) -> Vec<u8> {
        self.outgoing.buffer()
    }

    /// Accepts a packet for delivery. Dropped if the flow has [failed](Self::failure).
    pub fn push(&mut self, packet: Vec<u8>) {
        if self.failure.is_none() {
            self.outgoing.push(packet);
        }
    }

    /// Puts the next frame that is to be sent now into `room`, which holds [`OVERHEAD`](super::OVERHEAD) more than the longest packet and
    /// [`Prefix::CONTROL_MAX`] at least. Returns its length and the path that it goes on; `None` if there is nothing to send now.
    pub fn transmit(&mut self, now_ns: u64, room: &mut [u8]) -> Option<(Path, usize)> {
        self.look(now_ns);
        if let Some(answered) = self.answer(room) {
            return Some(answered);
        }
        if self.failure.is_some() {
            return None;
        }
        let sent = self.data(now_ns, room).or_else(|| self.probe(now_ns, room)).or_else(|| self.acknowledge(now_ns, room));
        if sent.is_some() && self.waiting_ns.is_none() && !self.outgoing.is_empty() {
            self.waiting_ns = Some(now_ns);
        }
        sent
    }

    /// What time alone has decided.
    fn look(&mut self, now_ns: u64) {
        self.outgoing.look(now_ns);
        if self.give_up_ns().is_some_and(|at_ns| at_ns <= now_ns) {
            self.fail(Failure::Silent);
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.outgoing.clear();
        self.waiting_ns = None;
    }

    fn give_up_ns(&self) -> Option<u64> {
        let at_ns = self.waiting_ns?.max(self.heard_ns).saturating_add(self.settings.give_up_ns);
        (at_ns < u64::MAX).then_some(at_ns)
    }

    /// A packet: one that a path owes an answer for, or the next one.
    fn data(&mut self, now_ns: u64, room: &mut [u8]) -> Option<(Path, usize)> {
        let to = self.identity.peer()?;
        let (beyond, is_whole) = self.incoming.beyond(DATA_WORDS_MAX);
        let mut prefix = self.prefix(Kind::Data, Path(0), to);
        while self.outgoing.is_overdue(now_ns) {
            if let Some((path, (sequence, packet))) = self.outgoing.time_out(now_ns) {
                (prefix.path, prefix.sequence) = (path, sequence);
                return Some((path, prefix.write(&beyond, packet, room)));
            }
        }
        let Due::Now(path) = self.outgoing.due(now_ns) else { return None };
        let (sequence, packet) = self.outgoing.send(now_ns, path)?;
        (prefix.path, prefix.sequence) = (path, sequence);
        let length = prefix.write(&beyond, packet, room);
        if is_whole {
            self.has_acknowledged(path);
        }
        Some((path, length))
    }

    fn prefix(&self, kind: Kind, path: Path, to: u32) -> Prefix {
        let (next, room) = self.incoming.expected();
        let prefix = Prefix { kind, path, from: self.identity.mine(), to, sequence: 0, next, room, repeats: self.incoming.repeats() };
        if self.identity.peer() == Some(to) {
            prefix
        } else {
            // Nothing has come from it.
            Prefix { next: first_sequence(to), room: self.settings.window as u16, repeats: 0, ..prefix }
        }
    }

    /// An answer to a probe.
    fn answer(&mut self, room: &mut [u8]) -> Option<(Path, usize)> {
        let index = self.answers.iter().position(Option::is_some)?;
        let answer = self.answers[index].take()?;
        let path = Path(index as u8);
        let is_peer = self.identity.peer() == Some(answer.to);
        let beyond = if is_peer { self.incoming.beyond(words_in(room)).0 } else { Beyond::NOTHING };
        let prefix = Prefix { sequence: answer.sequence, ..self.prefix(Kind::Answer, path, answer.to) };
        if is_peer {
            self.has_acknowledged(path);
        }
        Some((path, prefix.write(&beyond, &[], room)))
    }

    /// Asks on a path that is down whether it is; the peer who it is, or whether it has room again, or
    /// whether it is there at all.
    fn probe(&mut self, now_ns: u64, room: &mut [u8]) -> Option<(Path, usize)> {
        if self.outgoing.is_empty() {
            return None;
        }
        let asks = self.asks();
        if !asks {
            self.ask.interval_ns = ASK_FIRST_NS;
        }
        let mut paths = (0..self.settings.paths).map(Path);
        let path = match paths.find(|&path| self.outgoing.path_mut(path).probes(now_ns)) {
            Some(path) => {
                self.outgoing.move_from(path);
                path
            }
            None if asks && self.ask.at_ns <= now_ns => self.ask.next(now_ns, self.settings.paths),
            None => return None,
        };
        let to = self.identity.peer().unwrap_or(0);
        let (kind, sequence) = (Kind::Probe, ticks(now_ns));
        let (beyond, _) = self.incoming.beyond(words_in(room));
        let prefix = Prefix { sequence, ..self.prefix(kind, path, to) };
        Some((path, prefix.write(&beyond, &[], room)))
    }

    fn asks(&self) -> bool {
        self.identity.peer().is_none() || self.outgoing.is_held_back() || self.outgoing.is_stranded()
    }

    fn acknowledge(&mut self, now_ns: u64, room: &mut [u8]) -> Option<(Path, usize)> {
        let to = self.identity.peer()?;
        if self.incoming.deadline_ns()? > now_ns {
            return None;
        }
        let owed = if self.owed == 0 { 1 << self.heard_on.0 } else { self.owed };
        let first = Path(owed.trailing_zeros() as u8);
        self.owed = owed;
        self.has_acknowledged(first);
        // The only acknowledgement does not go where nothing gets through.
        let paths = self.outgoing.paths();
        let up = paths.iter().position(|path| path.is_up());
        let path = if owed.count_ones() > 1 || paths[first.index()].is_up() { first } else { up.map_or(first, |up| Path(up as u8)) };
        let (beyond, _) = self.incoming.beyond(words_in(room));
        let prefix = self.prefix(Kind::Acknowledgement, path, to);
        Some((path, prefix.write(&beyond, &[], room)))
    }

    /// All that has arrived has been acknowledged on `path`.
    fn has_acknowledged(&mut self, path: Path) {
        self.owed = if self.owed.count_ones() <= 1 { 0 } else { self.owed & !(1 << path.0) };
        if self.owed == 0 {
            self.incoming.acknowledged();
        }
    }

    /// Takes a frame in. What it brought is returned, or is then to be had by [`take`](Self::take).
    ///
    /// # Errors
    /// Why the frame was dropped.
    pub fn receive<'f>(&mut self, now_ns: u64, frame: &'f [u8]) -> Result<Received<'f>, Refused> {
        let received = self.accept(now_ns, frame);
        self.refused += u64::from(received.is_err());
        received
    }

    fn accept<'f>(&mut self, now_ns: u64, frame: &'f [u8]) -> Result<Received<'f>, Refused> {
        let (prefix, beyond, packet) = Prefix::read(frame).ok_or(Refused::Garbled)?;
        if prefix.path.0 >= self.settings.paths || prefix.from == 0 || prefix.to == 0 && prefix.kind != Kind::Probe {
            return Err(Refused::Garbled);
        }
        let answer = Some(Answer { to: prefix.from, sequence: prefix.sequence });
        match self.identity.see(prefix.from, prefix.to) {
            Sender::Peer { is_new: true } => self.incoming.begin(first_sequence(prefix.from)),
            Sender::Peer { is_new: false } => {}
            Sender::Asks => {
                self.answers[prefix.path.index()] = answer;
                return Ok(Received::Nothing);
            }
            // Tells it who is here now. Only once: who is told so twice might answer twice.
            Sender::Mistaken if prefix.kind != Kind::Answer => {
                self.answers[prefix.path.index()] = answer;
                return Err(Refused::Stranger);
            }
            Sender::Successor if self.failure.is_none() => {
                self.fail(Failure::Restarted { incarnation: prefix.from });
                return Err(Refused::Stranger);
            }
            Sender::Successor | Sender::Past | Sender::Mistaken => return Err(Refused::Stranger),
        }
        if self.failure.is_some() {
            return Err(Refused::Stranger);
        }
        self.heard_ns = now_ns;
        self.outgoing.acknowledged(now_ns, prefix.next, prefix.room, &beyond, prefix.repeats);
        if self.outgoing.is_empty() {
            self.waiting_ns = None;
        }
        match prefix.kind {
            Kind::Acknowledgement => {}
            Kind::Probe => self.answers[prefix.path.index()] = answer,
            Kind::Answer => self.answered(now_ns, prefix.path, prefix.sequence),
            Kind::Data => return self.arrived(now_ns, &prefix, packet),
        }
        Ok(Received::Nothing)
    }

    fn arrived<'f>(&mut self, now_ns: u64, prefix: &Prefix, packet: &'f [u8]) -> Result<Received<'f>, Refused> {
        let arrival = self.incoming.arrived(now_ns, prefix.sequence, packet);
        self.heard_on = prefix.path;
        // Who repeats what has come has not heard so: perhaps there is a path on which it does.
        let is_news = matches!(arrival, Arrival::Next | Arrival::Kept);
        self.owed = match self.owed.count_ones() {
            0 | 1 if is_news => 1 << prefix.path.0,
            _ if is_news => self.owed,
            _ => ((1u16 << self.settings.paths) - 1) as u8,
        };
        match arrival {
            Arrival::Next => Ok(Received::Next(packet)),
            Arrival::Kept => Ok(Received::Kept),
            Arrival::Repeated => Err(Refused::Repeated),
            Arrival::Beyond => Err(Refused::Beyond),
        }
    }

    /// A probe that was sent at some tick has been answered.
    fn answered(&mut self, now_ns: u64, path: Path, tick: u32) {
        let took_ns = u64::from(ticks(now_ns).wrapping_sub(tick)) << TICK_SHIFT;
        if took_ns <= 100 * TIMEOUT_MAX_NS {
            let path = self.outgoing.path_mut(path);
            path.trip.measured(took_ns);
            path.saw(now_ns, now_ns.saturating_sub(took_ns));
        }
    }

    /// The next packet in order, if it is there; to be [given back](Self::give_back).
    pub fn take(&mut self) -> Option<Vec<u8>> {
        self.incoming.take()
    }

    /// Whether [`take`](Self::take) has something.
    pub fn is_ready(&self) -> bool {
        self.incoming.is_ready()
    }

    pub fn give_back(&mut self, packet: Vec<u8>) {
        self.incoming.give_back(packet);
    }

    /// When [`transmit`](Self::transmit) will have something unless a frame arrives before: a time that has passed for at once. To be asked when it has
    /// nothing more.
    pub fn deadline_ns(&mut self) -> Option<u64> {
        if self.answers.iter().any(Option::is_some) {
            return Some(0);
        }
        if self.failure.is_some() {
            return None;
        }
        let acknowledgement_ns = self.identity.peer().and(self.incoming.deadline_ns());
        if self.outgoing.is_empty() {
            return acknowledgement_ns;
        }
        let data_ns = self.identity.peer().and_then(|_| match self.outgoing.due(0) {
            Due::Now(_) => Some(0),
            Due::At(at_ns) => Some(at_ns),
            Due::Nothing => None,
        });
        let probe_ns = self.outgoing.paths().iter().filter_map(super::path::PathState::probe_ns).min();
        let ask_ns = self.asks().then_some(self.ask.at_ns);
        let others = [acknowledgement_ns, data_ns, probe_ns, ask_ns, self.outgoing.deadline_ns(), self.give_up_ns()];
        others.into_iter().flatten().min()
    }

    /// All packets have been acknowledged, or the flow has failed.
    pub fn is_settled(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// Why the flow has ended, if it has.
    pub fn failure(&self) -> Option<Failure> {
        self.failure
    }

    /// The peer's incarnation, once known.
    pub fn peer(&self) -> Option<u32> {
        self.identity.peer()
    }

    /// When a frame of the peer's came last.
    pub fn heard_ns(&self) -> u64 {
        self.heard_ns
    }

    /// Frames that were dropped.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// Packets that are held: those to be acknowledged or taken, and empty buffers.
    pub fn held(&self) -> usize {
        self.outgoing.held() + self.incoming.held()
    }

    /// How a path is.
    pub fn path(&self, path: Path) -> PathReport {
        let state = &self.outgoing.paths()[path.index()];
        PathReport {
            is_up: state.is_up(),
            trip_ns: state.trip.smooth_ns(),
            rate: state.control.rate(),
            in_flight: state.in_flight,
        }
    }
}

/// How a path is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PathReport {
    /// Whether packets are sent on it.
    pub is_up: bool,
    /// Smoothed round trip, once measured.
    pub trip_ns: Option<u64>,
    /// Bytes a second that it takes; 0 if not known.
    pub rate: u64,
    /// Bytes on their way.
    pub in_flight: u64,
}

impl Ask {
    /// It is asked now, on the path that is returned; the next time on another one, and later.
    fn next(&mut self, now_ns: u64, paths: u8) -> Path {
        let path = self.path;
        self.path = Path((path.0 + 1) % paths);
        self.at_ns = now_ns + self.interval_ns;
        self.interval_ns = (2 * self.interval_ns).min(TIMEOUT_MAX_NS);
        path
    }
}

/// A probe holds the time in units of 1,024 ns.
const TICK_SHIFT: u32 = 10;

fn ticks(now_ns: u64) -> u32 {
    (now_ns >> TICK_SHIFT) as u32
}

/// Words of a bitmap that fit into a frame without a packet.
fn words_in(room: &[u8]) -> usize {
    WORDS_MAX.min(room.len().saturating_sub(Prefix::SIZE) / 8)
}
